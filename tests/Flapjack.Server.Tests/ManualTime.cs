namespace Flapjack.Server.Tests;

/// <summary>A clock that stands still until a test moves it. Timers fire while it moves, in order of their due times; timestamps for measuring stay real.</summary>
public sealed class ManualTime : TimeProvider
{
    public static readonly DateTimeOffset Start = new(2026, 4, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly Lock _lock = new();
    private readonly List<Timer> _timers = [];
    private readonly List<(TimeSpan Min, TimeSpan Max, bool IsNew, TaskCompletionSource<TimeSpan> Armed)> _awaited = [];
    private readonly List<(TimeSpan Period, int Count, TaskCompletionSource Enough)> _ticking = [];
    private DateTimeOffset _now = Start;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock) return _now;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock. Each timer that falls due on the way fires at its own instant.</summary>
    public void Advance(TimeSpan by)
    {
        var target = GetUtcNow() + by;
        while (NextDue(target) is { } timer) timer.Fire();
        lock (_lock) _now = target;
    }

    /// <summary>Completes when a timer that fires once was set to a wait of this span: then somebody waits. Gives the time until it fires. <paramref name="isNew"/> leaves out timers that were set before.</summary>
    public Task<TimeSpan> ArmedAsync(TimeSpan min, TimeSpan max, bool isNew = false)
    {
        lock (_lock)
        {
            var armed = _timers.Where(t => t.Fits(min, max, isNew)).MinBy(t => t.Due);
            if (armed is not null) return Task.FromResult(armed.Due - _now);
            var awaited = (min, max, isNew, Armed: new TaskCompletionSource<TimeSpan>(TaskCreationOptions.RunContinuationsAsynchronously));
            _awaited.Add(awaited);
            return awaited.Armed.Task;
        }
    }

    /// <summary>Completes when so many timers tick with this period. Those set later would miss what the clock moves until then.</summary>
    public Task TickingAsync(TimeSpan period, int count)
    {
        lock (_lock)
        {
            var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _ticking.Add((period, count, enough));
            TellTicking();
            return enough.Task;
        }
    }

    private void TellTicking()
    {
        foreach (var ticking in _ticking.Where(t => _timers.Count(timer => timer.Period == t.Period) >= t.Count).ToList())
        {
            _ticking.Remove(ticking);
            ticking.Enough.SetResult();
        }
    }

    private Timer? NextDue(DateTimeOffset target)
    {
        lock (_lock)
        {
            var next = _timers.Where(t => t.Due <= target).MinBy(t => t.Due);
            if (next is null) return null;
            if (next.Due > _now) _now = next.Due;
            next.Rearm(target);
            return next;
        }
    }

    private sealed class Timer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        private const int MostTicks = 20;
        private TimeSpan _wait;
        private int _changes;

        public DateTimeOffset Due { get; private set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        // A month has a million ticks of two seconds, and nobody counts them: who waits for ticks sees those that come at once as one.
        public void Rearm(DateTimeOffset target)
        {
            if (Period <= TimeSpan.Zero)
            {
                time._timers.Remove(this);
                return;
            }
            Due += Period;
            var left = (target - Due).Ticks / Period.Ticks;
            if (left > MostTicks) Due += Period * (left - MostTicks);
        }

        public bool Fits(TimeSpan min, TimeSpan max, bool isNew) => (!isNew || _changes == 1) && Period <= TimeSpan.Zero && _wait >= min && _wait <= max;

        private void Arm()
        {
            time._timers.Add(this);
            foreach (var awaited in time._awaited.Where(a => Fits(a.Min, a.Max, a.IsNew)).ToList())
            {
                time._awaited.Remove(awaited);
                awaited.Armed.SetResult(Due - time._now);
            }
            time.TellTicking();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._lock)
            {
                time._timers.Remove(this);
                (Period, _wait) = (period, dueTime);
                _changes++;
                if (dueTime == Timeout.InfiniteTimeSpan) return true;
                Due = time._now + dueTime;
                if (dueTime > TimeSpan.Zero) Arm();
            }
            if (dueTime <= TimeSpan.Zero) ThreadPool.QueueUserWorkItem(static timer => timer.Fire(), this, preferLocal: false);
            if (dueTime <= TimeSpan.Zero && period > TimeSpan.Zero) Change(period, period);
            return true;
        }

        public void Dispose()
        {
            lock (time._lock) time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
