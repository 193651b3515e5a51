using System.Net.Http.Headers;
using System.Text.Json;

namespace Flapjack.Server.Tests.McpServer;

/// <summary>Speaks streamable HTTP as a client does, one message at a time.</summary>
internal sealed class McpClient(HttpClient http, string path = "/mcp")
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;
    private int _id;

    public string? Session { get; set; }

    /// <summary>Begins a session and says that it is ready.</summary>
    public async Task<JsonElement> InitializeAsync(string version = "2025-11-25")
    {
        using var response = await PostAsync(new { jsonrpc = "2.0", id = ++_id, method = "initialize", @params = new { protocolVersion = version, capabilities = new { }, clientInfo = new { name = "test", version = "1" } } });
        var answer = await response.ShouldBeAsync(200);
        Session = response.Header("Mcp-Session-Id");
        using var ready = await PostAsync(new { jsonrpc = "2.0", method = "notifications/initialized" });
        ((int)ready.StatusCode).ShouldBe(202);
        return answer.GetProperty("result");
    }

    /// <summary>Sends a request and gives its answer as JSON.</summary>
    public async Task<JsonElement> AskAsync(string method, object? parameters = null)
    {
        var messages = await MessagesAsync(method, parameters);
        return messages[^1];
    }

    /// <summary>Calls a tool and gives its result.</summary>
    public async Task<JsonElement> CallAsync(string tool, object? arguments = null) => (await AskAsync("tools/call", new { name = tool, arguments = arguments ?? new { } })).GetProperty("result");

    /// <summary>Everything that is said until the answer.</summary>
    public async Task<List<JsonElement>> MessagesAsync(string method, object? parameters = null)
    {
        using var response = await PostAsync(new { jsonrpc = "2.0", id = ++_id, method, @params = parameters ?? new { } });
        if ((int)response.StatusCode != 200) await response.ShouldBeAsync(200);
        if (response.Content.Headers.ContentType!.MediaType == "application/json") return [await response.ShouldBeAsync(200)];
        var messages = new List<JsonElement>();
        await foreach (var message in ServerEvent.ReadAsync(response, Token)) messages.Add(message.Data);
        return messages;
    }

    public Task<HttpResponseMessage> PostAsync(object message, string accept = "application/json, text/event-stream", params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Post, message, accept, headers);

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, object? message = null, string accept = "application/json, text/event-stream", params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        if (message is not null) request.Content = JsonText.Content(message as string ?? JsonSerializer.Serialize(message));
        foreach (var type in accept.Split(", ")) request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(type));
        if (Session is not null) request.Headers.Add("Mcp-Session-Id", Session);
        foreach (var (name, value) in headers) request.Headers.Add(name, value);
        return http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
    }
}
