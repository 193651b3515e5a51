using System.Text.Json;
using Flapjack.Runtime.Schemas;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.JsonRpc;

namespace Flapjack.Server.McpServer;

/// <summary>The methods of the protocol that this server knows.</summary>
internal sealed partial class McpMethods(IEnumerable<IMcpTool> tools, CallerContext access, McpCalls calls, ILogger<McpMethods> logger)
{
    /// <summary>Versions of the protocol, newest first.</summary>
    public static readonly IReadOnlyList<string> Versions = ["2025-11-25", "2025-06-18", "2025-03-26"];

    private const string Instructions =
        "This server runs AI agents. list_agents says which there are; ask_agent sends one a message and waits for its answer. An answer names its threadId: pass it on to go on with the same conversation.";

    private const string AgentInstructions = "This server is one AI agent. ask sends it a message and waits for its answer. An answer names its threadId: pass it on to go on with the same conversation.";

    /// <summary>The answer to a request for a session; it names the version both sides go on with.</summary>
    public static object Initialize(JsonElement parameters, Guid? agentId) => new
    {
        protocolVersion = parameters.Text("protocolVersion") is { } wanted && Versions.Contains(wanted) ? wanted : Versions[0],
        capabilities = new { tools = new { listChanged = false } },
        serverInfo = new { name = "flapjack", title = "Flapjack", version = RequestIds.Version },
        instructions = agentId is null ? Instructions : AgentInstructions,
    };

    /// <summary>The tools of an endpoint.</summary>
    public object List(Guid? agentId) => new
    {
        tools = Offered(agentId).Select(tool => new
        {
            tool.Name,
            tool.Description,
            tool.InputSchema,
            tool.OutputSchema,
            annotations = new { readOnlyHint = tool.IsReadOnly, destructiveHint = false, openWorldHint = !tool.IsReadOnly },
        }),
    };

    /// <summary>The tool a call names.</summary>
    public IMcpTool Find(JsonElement parameters, Guid? agentId)
    {
        var name = parameters.Text("name") ?? throw new JsonRpcException(JsonRpcErrors.InvalidParams, "name is required");
        return Offered(agentId).FirstOrDefault(tool => tool.Name == name) ?? throw new JsonRpcException(JsonRpcErrors.InvalidParams, $"Unknown tool: {name}");
    }

    /// <summary>Calls a tool. What goes wrong is a result too, so that the model can read it; null when the client wants none any more.</summary>
    public async Task<object?> CallAsync(IMcpTool tool, McpRequest request, Action<object> progress)
    {
        using var running = calls.Begin(request.Session.Id, request.Call.Id!.Value);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(running.Cancelled, request.Client.Left);
        try
        {
            if (tool.Scope is { } scope && !access.Caller.Has(scope)) throw ApiException.Forbidden($"missing scope: {scope}");
            var arguments = request.Call.Params.Object("arguments") ?? JsonElement.Parse("{}");
            if (JsonSchema.Parse(tool.InputSchema).Validate(arguments) is { IsValid: false, Errors: [var wrong, ..] }) throw ApiException.Invalid($"arguments{wrong.Path}", wrong.Message);
            var result = await tool.CallAsync(new(arguments, request.Session.AgentId, request.Client, running.Cancelled) { Progress = Progress(request.Call.Params, progress) }, either.Token);
            return new { content = new[] { new { type = "text", text = result.GetRawText() } }, structuredContent = result, isError = false };
        }
        catch (OperationCanceledException) when (running.Cancelled.IsCancellationRequested)
        {
            return null;
        }
        catch (ApiException fault)
        {
            return Failed(fault.Code, fault.Detail);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            LogFailed(logger, fault, tool.Name);
            return Failed("INTERNAL_ERROR", "the server failed; its log has the reason");
        }
    }

    private IEnumerable<IMcpTool> Offered(Guid? agentId) => tools.Where(tool => tool.IsOfOneAgent == agentId is not null);

    private static Action<string> Progress(JsonElement parameters, Action<object> tell)
    {
        if (parameters.Object("_meta") is not { } meta || !meta.TryGetProperty("progressToken", out var token) || token.ValueKind is not (JsonValueKind.String or JsonValueKind.Number)) return _ => { };
        var count = 0;
        return message => tell(new { progressToken = token, progress = ++count, message });
    }

    private static object Failed(string code, string? detail) =>
        new { content = new[] { new { type = "text", text = JsonSerializer.Serialize(new { error = code, detail }, JsonRpcText.Wire) } }, isError = true };

    [LoggerMessage(1, LogLevel.Error, "The MCP tool {Tool} failed")]
    private static partial void LogFailed(ILogger logger, Exception exception, string tool);
}

/// <summary>A request in a session.</summary>
internal sealed record McpRequest(JsonRpcCall Call, McpSession Session, ClientConnection Client);
