using System.IO.Pipelines;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;

namespace Flapjack.Server.Tests.Threads;

/// <summary>Holds the headers of one answer back until a test lets them go, as a slow network does.</summary>
internal sealed class HeldHeaders : IStartupFilter
{
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _wanted;

    /// <summary>The server is about to send them.</summary>
    public Task Held => _held.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

    public void HoldNext() => Volatile.Write(ref _wanted, 1);

    public void Release() => _open.SetResult();

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use((context, following) =>
        {
            context.Features.Set<IHttpResponseBodyFeature>(new Body(this, context.Features.GetRequiredFeature<IHttpResponseBodyFeature>()));
            return following(context);
        });
        next(app);
    };

    private async Task WaitAsync(CancellationToken left)
    {
        if (Interlocked.Exchange(ref _wanted, 0) == 0) return;
        _held.SetResult();
        await _open.Task.WaitAsync(left);
    }

    private sealed class Body(HeldHeaders headers, IHttpResponseBodyFeature client) : IHttpResponseBodyFeature
    {
        public Stream Stream => client.Stream;

        public PipeWriter Writer => client.Writer;

        public void DisableBuffering() => client.DisableBuffering();

        public async Task StartAsync(CancellationToken cancellationToken = default)
        {
            await headers.WaitAsync(cancellationToken);
            await client.StartAsync(cancellationToken);
        }

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => client.SendFileAsync(path, offset, count, cancellationToken);

        public Task CompleteAsync() => client.CompleteAsync();
    }
}
