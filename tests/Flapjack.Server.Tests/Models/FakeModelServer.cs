using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flapjack.Server.Tests.Models;

/// <summary>A model server on a real socket that speaks Chat Completions and Responses, just enough for one short answer.</summary>
internal sealed class FakeModelServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeModelServer(WebApplication app) => _app = app;

    /// <summary>Calls received: path, credential, a further header.</summary>
    public ConcurrentQueue<(string Path, string Authorization, string Extra)> Calls { get; } = new();

    /// <summary>Answered instead of a stream when it is not 200.</summary>
    public int Status { get; set; } = 200;

    public Uri Address => new(_app.Urls.First());

    public static async Task<FakeModelServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var fake = new FakeModelServer(builder.Build());
        fake._app.Run(fake.AnswerAsync);
        await fake._app.StartAsync();
        return fake;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        Calls.Enqueue((http.Request.Path, http.Request.Headers.Authorization.ToString(), http.Request.Headers["X-Extra"].ToString()));
        http.Response.StatusCode = Status;
        if (Status != 200)
        {
            await http.Response.WriteAsync($$$"""{"error":{"message":"no: {{{http.Request.Headers.Authorization}}}","type":"invalid_request_error"}}""");
            return;
        }
        http.Response.ContentType = "text/event-stream";
        await http.Response.WriteAsync(http.Request.Path.Value!.EndsWith("/chat/completions", StringComparison.Ordinal)
            ? """
              data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"OK"},"finish_reason":null}]}

              data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}

              data: [DONE]


              """
            : """
              event: response.output_text.delta
              data: {"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":0,"delta":"OK"}

              event: response.completed
              data: {"type":"response.completed","response":{"id":"r","status":"completed","output":[],"usage":{"input_tokens":3,"output_tokens":1,"total_tokens":4}}}


              """);
    }
}
