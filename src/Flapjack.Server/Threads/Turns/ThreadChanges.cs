using Flapjack.Server.Platform.Signals;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Wakes whoever waits for a thread to become free, when a turn begins or ends there.</summary>
internal sealed class ThreadChanges
{
    public const string Topic = "thread.changed";
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, List<ThreadWatch>> _watches = [];
    private readonly ISignals _signals;

    public ThreadChanges(ISignals signals)
    {
        _signals = signals;
        signals.On(Topic, signal => Raise(Guid.Parse(signal.Body)));
        signals.OnMissed(RaiseAll);
    }

    /// <summary>Watches a thread until it is disposed of.</summary>
    public ThreadWatch Watch(Guid thread)
    {
        var watch = new ThreadWatch(this, thread);
        lock (_lock)
        {
            if (!_watches.TryGetValue(thread, out var list)) _watches[thread] = list = [];
            list.Add(watch);
        }
        return watch;
    }

    /// <summary>Says on this node that a thread may be free.</summary>
    public void Raise(Guid thread)
    {
        ThreadWatch[] watches;
        lock (_lock)
        {
            if (!_watches.TryGetValue(thread, out var list)) return;
            watches = [.. list];
        }
        foreach (var watch in watches) watch.Raise();
    }

    /// <summary>Says on every node that a thread may be free.</summary>
    public void RaiseEverywhere(Guid thread)
    {
        Raise(thread);
        _signals.Broadcast(Topic, thread.ToString());
    }

    internal void Remove(ThreadWatch watch)
    {
        lock (_lock)
        {
            if (_watches.TryGetValue(watch.Thread, out var list) && list.Remove(watch) && list.Count == 0) _watches.Remove(watch.Thread);
        }
    }

    private void RaiseAll()
    {
        ThreadWatch[] watches;
        lock (_lock) watches = [.. _watches.Values.SelectMany(static list => list)];
        foreach (var watch in watches) watch.Raise();
    }
}

/// <summary>Waits for changes of one thread. Look at the thread first, then wait: a change since the last wait ends the next one at once.</summary>
internal sealed class ThreadWatch(ThreadChanges owner, Guid thread) : IDisposable
{
    private TaskCompletionSource _next = New();

    public Guid Thread => thread;

    public void Raise() => Volatile.Read(ref _next).TrySetResult();

    /// <summary>Returns at the next change, or after <paramref name="atMost"/>: true when there was one.</summary>
    public async Task<bool> NextAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await _next.Task.WaitAsync(atMost, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return false;
        }
        // Before the caller looks: what changes from here on ends the next wait.
        Volatile.Write(ref _next, New());
        return true;
    }

    public void Dispose() => owner.Remove(this);

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
