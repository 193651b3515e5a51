using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Flapjack.Server.Tests.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flapjack.Server.Tests.Mcp;

/// <summary>An MCP server on a real socket, written by hand so that it can misbehave: streamable HTTP at <c>/mcp</c>, the older SSE at <c>/sse</c>.</summary>
internal sealed class FakeMcpServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, bool> _sessions = new();
    private readonly ConcurrentDictionary<string, HttpResponse> _listeners = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<JsonObject>> _asked = new();
    private readonly CancellationTokenSource _stop = new();
    private int _sessionCount;

    private FakeMcpServer(WebApplication app) => _app = app;

    public string Address => _app.Urls.First();

    public string Url => Address + "/mcp";

    /// <summary>What <c>tools/list</c> answers.</summary>
    public JsonArray Tools { get; set; } = [Tool("add", "Adds two numbers", """{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"]}""", """{"readOnlyHint":true}"""), Tool("echo", "Says it again", """{"type":"object","properties":{"text":{"type":"string"}}}""")];

    /// <summary>Answers <c>tools/call</c>; null answers nothing at all.</summary>
    public Func<FakeCall, Task<JsonNode?>> OnCall { get; set; } = call => Task.FromResult<JsonNode?>(Text(call.Name == "add" ? $"{call.Arguments["a"]!.GetValue<double>() + call.Arguments["b"]!.GetValue<double>()}" : call.Arguments["text"]?.GetValue<string>() ?? ""));

    /// <summary>True for requests that may pass; by default all.</summary>
    public Func<HttpRequest, bool> IsAllowed { get; set; } = _ => true;

    /// <summary>Further routes, such as those of an authorisation server.</summary>
    public Func<HttpContext, Task<bool>> Other { get; set; } = _ => Task.FromResult(false);

    /// <summary>Answers this status to everything when it is not 0.</summary>
    public int Broken { get; set; }

    /// <summary>A scope that calls of tools need and tokens lack; null when they lack none.</summary>
    public string? MissingScope { get; set; }

    /// <summary>Everything that was asked: method, tool or path, and its headers.</summary>
    public ConcurrentQueue<(string Method, string Detail, Dictionary<string, string> Headers)> Asked { get; } = new();

    public int Count(string method) => Asked.Count(asked => asked.Method == method);

    public static JsonObject Tool(string name, string? description, string? schema, string? annotations = null)
    {
        var tool = new JsonObject { ["name"] = name };
        if (description is not null) tool["description"] = description;
        if (schema is not null) tool["inputSchema"] = JsonNode.Parse(schema);
        if (annotations is not null) tool["annotations"] = JsonNode.Parse(annotations);
        return tool;
    }

    public static JsonObject Text(string text) => new() { ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = text }) };

    public static async Task<FakeMcpServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var fake = new FakeMcpServer(builder.Build());
        fake._app.Run(fake.AnswerAsync);
        await fake._app.StartAsync();
        return fake;
    }

    /// <summary>As after a restart: sessions from before are not known.</summary>
    public void ForgetSessions() => _sessions.Clear();

    /// <summary>Tells every listening client something on its own accord.</summary>
    public async Task NotifyAsync(string method)
    {
        foreach (var listener in _listeners.Values) await WriteEventAsync(listener, new JsonObject { ["jsonrpc"] = "2.0", ["method"] = method });
    }

    public Task UntilSomebodyListensAsync() => PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "somebody listens", () => Task.FromResult(!_listeners.IsEmpty));

    public Task UntilNobodyListensAsync() => PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "nobody listens", () => Task.FromResult(_listeners.IsEmpty));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        if (await Other(http)) return;
        if (Broken != 0)
        {
            http.Response.StatusCode = Broken;
            return;
        }
        if (!IsAllowed(http.Request))
        {
            http.Response.StatusCode = 401;
            http.Response.Headers.WWWAuthenticate = $"""Bearer resource_metadata="{Address}/.well-known/oauth-protected-resource/mcp", scope="tools:use" """.Trim();
            return;
        }
        var path = http.Request.Path.Value;
        if (http.Request.Method == "POST" && path is "/mcp" or "/messages") await AnswerPostAsync(http, path == "/messages");
        else if (http.Request.Method == "GET" && path is "/mcp" or "/sse") await ListenAsync(http, path == "/sse");
        else http.Response.StatusCode = http.Request.Method == "DELETE" ? 200 : 404;
    }

    private async Task ListenAsync(HttpContext http, bool isOld)
    {
        var session = isOld ? $"sse{Interlocked.Increment(ref _sessionCount)}" : http.Request.Headers["Mcp-Session-Id"].ToString();
        http.Response.ContentType = "text/event-stream";
        await http.Response.Body.FlushAsync();
        // Whoever is told the endpoint asks there at once.
        _listeners[session] = http.Response;
        if (isOld) await http.Response.WriteAsync($"event: endpoint\ndata: /messages?session={session}\n\n");
        await http.Response.Body.FlushAsync();
        try
        {
            await Task.Delay(Timeout.Infinite, CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, _stop.Token).Token);
        }
        catch (OperationCanceledException)
        {
            _listeners.TryRemove(session, out _);
        }
    }

    private async Task AnswerPostAsync(HttpContext http, bool isOld)
    {
        var message = (await JsonNode.ParseAsync(http.Request.Body))!.AsObject();
        var method = message["method"]?.GetValue<string>();
        if (method is null)
        {
            _asked[message["id"]!.ToJsonString()].SetResult(message);
            http.Response.StatusCode = 202;
            return;
        }
        Asked.Enqueue((method, message["params"]?["name"]?.GetValue<string>() ?? "", http.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
        var session = isOld ? http.Request.Query["session"].ToString() : http.Request.Headers["Mcp-Session-Id"].ToString();
        if (!isOld && method == "initialize") _sessions[session = $"s{Interlocked.Increment(ref _sessionCount)}"] = true;
        else if (!isOld && !_sessions.ContainsKey(session))
        {
            http.Response.StatusCode = session.Length == 0 ? 400 : 404;
            await http.Response.WriteAsJsonAsync(new { jsonrpc = "2.0", id = (object?)null, error = new { code = -32000, message = "no such session" } });
            return;
        }
        if (method == "tools/call" && MissingScope is { } scope)
        {
            http.Response.StatusCode = 403;
            http.Response.Headers.WWWAuthenticate = $"""Bearer error="insufficient_scope", scope="{scope}", resource_metadata="{Address}/.well-known/oauth-protected-resource/mcp" """.Trim();
            return;
        }
        if (!message.ContainsKey("id"))
        {
            http.Response.StatusCode = 202;
            return;
        }
        if (method == "initialize") http.Response.Headers["Mcp-Session-Id"] = session;
        var stream = isOld ? _listeners[session] : http.Response;
        if (isOld) http.Response.StatusCode = 202;
        var call = new FakeCall(message, request => WriteEventAsync(stream, request), (id, wait) => _asked[id] = wait);
        var result = await ResultAsync(method, call);
        if (result is null) return;
        var answer = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = message["id"]!.DeepClone() };
        if (result is JsonObject { Count: 1 } fault && fault.ContainsKey("code")) answer["error"] = new JsonObject { ["code"] = fault["code"]!.DeepClone(), ["message"] = "no such method" };
        else answer["result"] = result;
        if (isOld || http.Response.HasStarted) await WriteEventAsync(stream, answer);
        else await http.Response.WriteAsJsonAsync(answer);
    }

    private async Task<JsonNode?> ResultAsync(string method, FakeCall call) => method switch
    {
        "initialize" => JsonNode.Parse("""{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"fake","version":"1"}}"""),
        "tools/list" => new JsonObject { ["tools"] = Tools.DeepClone() },
        "tools/call" => await OnCall(call),
        _ => new JsonObject { ["code"] = -32601 },
    };

    private static async Task WriteEventAsync(HttpResponse response, JsonObject message)
    {
        if (!response.HasStarted) response.ContentType = "text/event-stream";
        await response.WriteAsync($"event: message\ndata: {message.ToJsonString()}\n\n");
        await response.Body.FlushAsync();
    }
}

/// <summary>A call as the fake server sees it.</summary>
internal sealed class FakeCall(JsonObject message, Func<JsonObject, Task> write, Action<string, TaskCompletionSource<JsonObject>> expect)
{
    public string Name => message["params"]!["name"]!.GetValue<string>();

    public JsonObject Arguments => message["params"]!["arguments"]?.AsObject() ?? [];

    public Task ProgressAsync(double progress, double? total, string? text) => write(new JsonObject
    {
        ["jsonrpc"] = "2.0",
        ["method"] = "notifications/progress",
        ["params"] = new JsonObject { ["progressToken"] = message["params"]!["_meta"]!["progressToken"]!.DeepClone(), ["progress"] = progress, ["total"] = total, ["message"] = text },
    });

    /// <summary>Asks the client something and waits for its answer.</summary>
    public async Task<JsonObject> AskAsync(string method, string parameters)
    {
        var wait = new TaskCompletionSource<JsonObject>(TaskCreationOptions.RunContinuationsAsynchronously);
        expect("\"ask\"", wait);
        await write(new JsonObject { ["jsonrpc"] = "2.0", ["id"] = "ask", ["method"] = method, ["params"] = JsonNode.Parse(parameters) });
        return await wait.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }
}
