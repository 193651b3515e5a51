namespace Flapjack.Providers.Wire;

/// <summary>Cancels a call whose provider stays silent. One timer a call, pushed back at every read.</summary>
internal sealed class IdleWatch : IDisposable
{
    private readonly CancellationTokenSource source;
    private readonly CancellationTokenRegistration caller;
    private readonly TimeSpan idle;
    private bool closing;

    public IdleWatch(TimeProvider time, TimeSpan idle, CancellationToken cancellationToken)
    {
        this.idle = idle;
        source = new(idle, time);
        caller = cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), source);
    }

    public CancellationToken Token => source.Token;

    public void Renew()
    {
        if (!closing)
        {
            source.CancelAfter(idle);
        }
    }

    /// <summary>From here on the rest of the stream has this long in all, whatever arrives.</summary>
    public void CloseWithin(TimeSpan rest)
    {
        if (!closing)
        {
            closing = true;
            source.CancelAfter(rest);
        }
    }

    public void Dispose()
    {
        caller.Dispose();
        source.Dispose();
    }
}
