using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flapjack.Testing;

/// <summary>A request as the fake model got it.</summary>
public sealed record ReceivedRequest(string Path, IReadOnlyDictionary<string, string> Headers, JsonElement Body);

/// <summary>A model provider in this process that speaks the real Responses, Chat Completions and Messages protocols.</summary>
public sealed class FakeUpstream : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<Script> scripts = new();
    private readonly ConcurrentQueue<ReceivedRequest> requests = new();
    private readonly TaskCompletionSource left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Script otherwise = Script.Text("ok");
    private int abandoned;

    private FakeUpstream(WebApplication app) => this.app = app;

    /// <summary>Base address for OpenAI and compatible clients.</summary>
    public Uri OpenAI => new(app.Urls.First() + "/v1");

    /// <summary>Base address for Anthropic clients.</summary>
    public Uri Anthropic => new(app.Urls.First());

    /// <summary>All requests so far, oldest first.</summary>
    public IReadOnlyList<ReceivedRequest> Requests => [.. requests];

    /// <summary>The latest request.</summary>
    public ReceivedRequest LastRequest => requests.Last();

    /// <summary>How many requests were given up by their client before their answer was complete.</summary>
    public int Abandoned => Volatile.Read(ref abandoned);

    /// <summary>Completes when a client has left an answer that was silent or stayed open.</summary>
    public Task Left => left.Task;

    public static async Task<FakeUpstream> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var upstream = new FakeUpstream(app);
        app.MapPost("/v1/responses", context => upstream.AnswerAsync(context, Wire.Responses));
        app.MapPost("/v1/chat/completions", context => upstream.AnswerAsync(context, Wire.ChatCompletions));
        app.MapPost("/v1/messages", context => upstream.AnswerAsync(context, Wire.Messages));
        await app.StartAsync();
        return upstream;
    }

    /// <summary>Answers the next requests with these scripts, one each.</summary>
    public FakeUpstream Reply(params Script[] next)
    {
        foreach (var script in next)
        {
            scripts.Enqueue(script);
        }
        return this;
    }

    /// <summary>Answers every request without a script of its own.</summary>
    public FakeUpstream OtherwiseReply(Script script)
    {
        otherwise = script;
        return this;
    }

    /// <summary>Drops scripts that were not used and all requests seen.</summary>
    public void Forget()
    {
        scripts.Clear();
        requests.Clear();
        otherwise = Script.Text("ok");
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context, Wire wire)
    {
        var body = await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body, cancellationToken: context.RequestAborted);
        requests.Enqueue(new(context.Request.Path, context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase), body));
        await using var leaving = context.RequestAborted.Register(() => Interlocked.Increment(ref abandoned));
        var script = scripts.TryDequeue(out var next) ? next : otherwise;
        if (script.Header is { } header)
        {
            context.Response.Headers[header.Name] = header.Value;
        }
        context.Response.StatusCode = script.StatusCode;
        if (script.StatusCode != 200)
        {
            await context.Response.WriteAsync(script.Body, context.RequestAborted);
            return;
        }
        if (script.Fault == ScriptedFault.NoEventStream)
        {
            context.Response.ContentType = "text/html";
            await context.Response.WriteAsync("<html><body>Welcome</body></html>", context.RequestAborted);
            return;
        }
        context.Response.ContentType = "text/event-stream";
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await StreamAsync(context, wire, script);
    }

    private async Task StreamAsync(HttpContext context, Wire wire, Script script)
    {
        var pieces = 0;
        foreach (var frame in wire.Frames(script))
        {
            if (frame.Kind == FrameKind.Content && script.BeforePiece is { } ready)
            {
                await ready();
            }
            if (frame.Kind != FrameKind.Other && pieces == script.FaultAfter && await FailAsync(context, wire, script))
            {
                return;
            }
            pieces += frame.Kind == FrameKind.Content ? 1 : 0;
            if (script.HasUnknownEvents)
            {
                await SendAsync(context, ": keep-alive\n\n" + wire.Unknown.Text);
            }
            await SendAsync(context, frame.Text);
            if (frame.Kind == FrameKind.Marker && script.Fault == ScriptedFault.OpenAfterMarker)
            {
                await UntilClientLeavesAsync(context);
                return;
            }
        }
    }

    private async Task<bool> FailAsync(HttpContext context, Wire wire, Script script)
    {
        switch (script.Fault)
        {
            case ScriptedFault.Cut:
                return true;
            case ScriptedFault.Abort:
                context.Abort();
                return true;
            case ScriptedFault.Silence:
                await UntilClientLeavesAsync(context);
                return true;
            case ScriptedFault.Malformed:
                await SendAsync(context, "data: {\"type\":\"broken\n\n");
                return true;
            case ScriptedFault.ErrorEvent:
                await SendAsync(context, wire.Error(script.Error.Type, script.Error.Message).Text);
                return true;
            default:
                return false;
        }
    }

    private static async Task SendAsync(HttpContext context, string text)
    {
        await context.Response.WriteAsync(text, context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    private Task UntilClientLeavesAsync(HttpContext context)
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        context.RequestAborted.Register(() =>
        {
            left.TrySetResult();
            gone.TrySetResult();
        });
        return gone.Task;
    }
}
