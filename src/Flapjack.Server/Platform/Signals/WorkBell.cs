namespace Flapjack.Server.Platform.Signals;

/// <summary>Wakes the workers of a queue on this node.</summary>
/// <param name="workers">How many may be woken at a time; further rings are for nobody.</param>
internal sealed class WorkBell(int workers) : IDisposable
{
    private readonly SemaphoreSlim _rings = new(0);

    /// <summary>There is something to do.</summary>
    public void Ring()
    {
        if (_rings.CurrentCount < workers) _rings.Release();
    }

    /// <summary>Waits until it rings, or the time is up.</summary>
    public async Task WaitAsync(TimeSpan longest, TimeProvider time, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var pause = new PeriodicTimer(longest, time);
        var woken = _rings.WaitAsync(either.Token);
        await Task.WhenAny(woken, pause.WaitForNextTickAsync(either.Token).AsTask());
        await either.CancelAsync();
        // To its end: a wait that is left behind may still take the ring meant for whoever comes next.
        await woken.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    public void Dispose() => _rings.Dispose();
}
