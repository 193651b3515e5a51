namespace Flapjack.Server.Platform.Http;

/// <summary>Counts the requests that run, and the turns, which may outlive theirs: what an orderly stop waits for.</summary>
internal sealed class RunningRequests
{
    private int _count;
    private int _turns;

    public int Count => Volatile.Read(ref _count);

    /// <summary>True while a request or a turn runs.</summary>
    public bool Any => Count > 0 || Volatile.Read(ref _turns) > 0;

    public void TurnBegins() => Interlocked.Increment(ref _turns);

    public void TurnEnded() => Interlocked.Decrement(ref _turns);

    public async Task Middleware(HttpContext context, RequestDelegate next)
    {
        Interlocked.Increment(ref _count);
        try
        {
            await next(context);
        }
        finally
        {
            Interlocked.Decrement(ref _count);
        }
    }
}
