using System.Globalization;
using System.Text.Json.Nodes;

namespace Flapjack.Server.Platform.Http.Demo;

/// <summary>The demo's one answer, as events or in one piece.</summary>
internal sealed class DemoAnswerStream(string signupUrl, DateTime now, bool asStream) : IResult
{
    private readonly Guid _turnId = Ids.New();
    private readonly Guid _messageId = Ids.New();
    private readonly string[] _deltas =
    [
        "This is the Flapjack demo. ", "A real agent would now think about your message, use its tools and answer. ",
        "Nothing is stored and no model was called. ", $"Sign up for an own organisation: {signupUrl}",
    ];

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        if (!asStream)
        {
            var answer = Done();
            answer["events"] = new JsonArray();
            response.ContentType = "application/json; charset=utf-8";
            await response.WriteAsync(answer.ToJsonString(DemoFixtures.Text), httpContext.RequestAborted);
            return;
        }
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache, no-transform";
        response.Headers["X-Accel-Buffering"] = "no";
        if (HttpProtocol.IsHttp11(httpContext.Request.Protocol)) response.Headers.Connection = "keep-alive";
        var sequence = 0;
        foreach (var (type, data) in Events())
        {
            sequence++;
            await response.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"id: {_turnId}:{sequence}\nevent: {type}\ndata: {data.ToJsonString(DemoFixtures.Text)}\n\n"), httpContext.RequestAborted);
        }
        await response.Body.FlushAsync(httpContext.RequestAborted);
    }

    private IEnumerable<(string Type, JsonObject Data)> Events()
    {
        yield return ("meta", new JsonObject
        {
            ["startedAt"] = WireTime.Format(now), ["turnId"] = _turnId, ["threadId"] = DemoWorld.ThreadId, ["userMessageId"] = Ids.New(), ["model"] = DemoFixtures.Model,
        });
        foreach (var delta in _deltas) yield return ("token", new JsonObject { ["delta"] = delta });
        yield return ("done", Done());
    }

    private JsonObject Done() => new()
    {
        ["ok"] = true,
        ["messageId"] = _messageId,
        ["content"] = string.Concat(_deltas),
        ["usage"] = new JsonObject { ["input_tokens"] = 0, ["output_tokens"] = 0, ["cache_read_tokens"] = 0, ["cache_write_tokens"] = 0, ["cost_usd"] = 0 },
        ["turnId"] = _turnId,
        ["finishReason"] = "stop",
    };
}
