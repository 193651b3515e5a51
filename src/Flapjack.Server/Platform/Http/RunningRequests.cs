namespace Flapjack.Server.Platform.Http;

/// <summary>Counts the requests that run, which is what an orderly stop waits for.</summary>
internal sealed class RunningRequests
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

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
