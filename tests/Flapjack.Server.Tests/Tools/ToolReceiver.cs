using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flapjack.Server.Tests.Tools;

/// <summary>A request as an application's endpoint got it.</summary>
public sealed record ToolHit(string Method, string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public string? this[string header] => Headers.GetValueOrDefault(header);
}

/// <summary>An application in this process whose endpoints do what a test says, and that remembers every request.</summary>
public sealed class ToolReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<ToolHit> _hits = new();
    private readonly ConcurrentDictionary<string, Func<HttpContext, ToolHit, Task>> _answers = new(StringComparer.Ordinal);

    private ToolReceiver(WebApplication app) => _app = app;

    public IReadOnlyList<ToolHit> Hits => [.. _hits];

    public int Port => new Uri(_app.Urls.First()).Port;

    public static async Task<ToolReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MinResponseDataRate = null);
        var app = builder.Build();
        var receiver = new ToolReceiver(app);
        app.Run(receiver.ServeAsync);
        await app.StartAsync();
        return receiver;
    }

    public string UrlOf(string path) => _app.Urls.First() + path;

    public IEnumerable<ToolHit> At(string path) => Hits.Where(h => h.Path == path);

    /// <summary>What a path does from now on.</summary>
    public ToolReceiver On(string path, Func<HttpContext, ToolHit, Task> answer)
    {
        _answers[path] = answer;
        return this;
    }

    /// <summary>A path that answers a text.</summary>
    public ToolReceiver Says(string path, string text, int status = 200, string type = "application/json") => On(path, (context, _) =>
    {
        (context.Response.StatusCode, context.Response.ContentType) = (status, type);
        return context.Response.WriteAsync(text);
    });

    /// <summary>A path that answers these statuses one after another, then 200.</summary>
    public ToolReceiver Fails(string path, params int[] statuses)
    {
        var next = new ConcurrentQueue<int>(statuses);
        return On(path, (context, _) =>
        {
            context.Response.StatusCode = next.TryDequeue(out var status) ? status : 200;
            return context.Response.WriteAsync(context.Response.StatusCode == 200 ? """{"result":"at last"}""" : "not now");
        });
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var hit = new ToolHit(context.Request.Method, context.Request.Path, context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase), body.ToArray());
        _hits.Enqueue(hit);
        if (_answers.TryGetValue(hit.Path, out var answer)) await answer(context, hit);
        else context.Response.StatusCode = 404;
    }
}
