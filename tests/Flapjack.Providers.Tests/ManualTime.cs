namespace Flapjack.Providers.Tests;

/// <summary>A clock that tests move. <see cref="ArmedAsync"/> tells when the code under test has begun to wait.</summary>
internal sealed class ManualTime : TimeProvider
{
    /// <summary>Real time after which a test that waits in vain fails instead of hanging.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Lock gate = new();
    private readonly List<ManualTimer> timers = [];
    private readonly List<(TimeSpan Due, TaskCompletionSource Seen)> watchers = [];
    private DateTimeOffset now = new(2026, 4, 1, 12, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => now;

    public override long GetTimestamp() => now.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Completes when a timer was set to this time from then on.</summary>
    public Task ArmedAsync(TimeSpan due)
    {
        lock (gate)
        {
            if (timers.Any(timer => timer.Length == due))
            {
                return Task.CompletedTask;
            }
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            watchers.Add((due, seen));
            return seen.Task.WaitAsync(Patience);
        }
    }

    public void Advance(TimeSpan by)
    {
        ManualTimer[] ripe;
        lock (gate)
        {
            now += by;
            ripe = [.. timers.Where(timer => timer.Due <= now)];
            timers.RemoveAll(timer => timer.Due <= now);
        }
        foreach (var timer in ripe)
        {
            timer.Fire();
        }
    }

    private void Arm(ManualTimer timer, TimeSpan due)
    {
        lock (gate)
        {
            timers.Remove(timer);
            if (due == Timeout.InfiniteTimeSpan)
            {
                return;
            }
            (timer.Length, timer.Due) = (due, now + due);
            timers.Add(timer);
            foreach (var (_, seen) in watchers.Where(watcher => watcher.Due == due).ToArray())
            {
                seen.TrySetResult();
            }
            watchers.RemoveAll(watcher => watcher.Due == due);
        }
    }

    private sealed class ManualTimer(ManualTime time, Action fire) : ITimer
    {
        public TimeSpan Length { get; set; }
        public DateTimeOffset Due { get; set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            time.Arm(this, dueTime);
            return true;
        }

        public void Dispose() => time.Arm(this, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
