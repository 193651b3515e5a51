using System.Text.Json.Nodes;
using Flapjack.Server.Mcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Flapjack.Server.Mcp.Connections;

/// <summary>A session with a server.</summary>
internal sealed class McpConnection(McpClient client, ServerProgram? program, HttpClient? http) : IAsyncDisposable
{
    private const int MaxPages = 50;

    /// <summary>The session is over: the server closed it, or the program ended.</summary>
    public bool IsOver => client.Completion.IsCompleted;

    /// <summary>Asks for the tools, all pages.</summary>
    public async Task<ToolListing> ListToolsAsync(CancellationToken cancellationToken)
    {
        var listing = new ToolListing.Builder();
        string? cursor = null;
        for (var page = 0; page < MaxPages; page++)
        {
            // Asked for as plain JSON: one tool with a faulty schema must not cost the others.
            var parameters = new JsonObject();
            if (cursor is not null) parameters["cursor"] = cursor;
            var answer = await SendAsync(RequestMethods.ToolsList, parameters, cancellationToken);
            var (tools, next) = Page(answer);
            foreach (var tool in tools) listing.Add(tool);
            if (string.IsNullOrEmpty(next) || next == cursor || listing.IsFull) break;
            cursor = next;
        }
        return listing.Build();
    }

    /// <summary>Calls a tool.</summary>
    public async Task<CallToolResult> CallAsync(ListedTool tool, IReadOnlyDictionary<string, object?> arguments, IProgress<ProgressNotificationValue> progress, CancellationToken cancellationToken)
    {
        // Such a schema asks the client to repeat arguments in headers; the library does so for tools it knows.
        if (tool.InputSchema.GetRawText().Contains("x-mcp-header", StringComparison.Ordinal)) client.AddKnownTools([new Tool { Name = tool.Name, InputSchema = tool.InputSchema }]);
        try
        {
            return await client.CallToolAsync(tool.Name, arguments, progress, cancellationToken: cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw await ExplainedAsync(exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The program first: a client that says goodbye to a program that hangs would wait for it.
        if (program is not null) await program.DisposeAsync();
        await client.DisposeAsync();
        http?.Dispose();
    }

    private async Task<JsonNode?> SendAsync(string method, JsonObject parameters, CancellationToken cancellationToken)
    {
        try
        {
            return (await client.SendRequestAsync(new JsonRpcRequest { Method = method, Params = parameters }, cancellationToken)).Result;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw await ExplainedAsync(exception);
        }
    }

    private static (JsonArray Tools, string? Next) Page(JsonNode? answer)
    {
        try
        {
            if (answer is JsonObject result && result["tools"] is JsonArray tools) return (tools, result["nextCursor"] is JsonValue value && value.TryGetValue(out string? text) ? text : null);
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            throw new McpServerException(new(McpFault.Protocol, "the list of tools cannot be read"), exception);
        }
        throw new McpServerException(new(McpFault.Protocol, "the list of tools is not one"));
    }

    private async Task<McpServerException> ExplainedAsync(Exception exception)
    {
        if (exception is McpServerException own) return own;
        var fault = McpFault.Of(exception);
        if (fault.Code == McpFault.Connect && program is not null) fault = await program.EndedAsync();
        return new(fault, exception) { SessionIsGone = Gone(exception) };
    }

    private static bool Gone(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException) if (exception is McpServerException { SessionIsGone: true }) return true;
        return false;
    }
}
