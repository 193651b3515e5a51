using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.McpServer;

/// <summary>A tool this server offers to MCP clients. A feature that has something to offer registers one; nothing else is to be done.</summary>
internal interface IMcpTool
{
    string Name { get; }

    /// <summary>Tells a model when to use it.</summary>
    string Description { get; }

    /// <summary>JSON Schema of the arguments, an object. They are checked against it before the call.</summary>
    JsonElement InputSchema { get; }

    /// <summary>JSON Schema of the result, an object; null = not described.</summary>
    JsonElement? OutputSchema => null;

    /// <summary>What a key needs beside <c>mcp:write</c>.</summary>
    string? Scope => null;

    /// <summary>True when it changes nothing.</summary>
    bool IsReadOnly { get; }

    /// <summary>True for a tool of the endpoint of one agent; false for one of the organisation's.</summary>
    bool IsOfOneAgent => false;

    /// <summary>True when a call may take longer than a moment: its answer is then a stream that is kept alive and tells progress.</summary>
    bool TakesTime => false;

    /// <summary>Does it. The result is a JSON object; an <see cref="ApiException"/> becomes an error the model can read.</summary>
    Task<JsonElement> CallAsync(McpToolCall call, CancellationToken cancellationToken);
}

/// <summary>A call of a tool.</summary>
/// <param name="Arguments">An object that meets the tool's schema.</param>
/// <param name="AgentId">The agent of the endpoint; null at the organisation's.</param>
/// <param name="Client">Who waits.</param>
/// <param name="Cancelled">Cancelled when the client wants no answer any more; leaving is something else.</param>
internal sealed record McpToolCall(JsonElement Arguments, Guid? AgentId, ClientConnection Client, CancellationToken Cancelled)
{
    /// <summary>Tells the client what happens, if it asked to be told.</summary>
    public Action<string> Progress { get; init; } = _ => { };

    /// <summary>An argument that is an id.</summary>
    public Guid? Id(string name) => Arguments.Text(name) is not { } text ? null : Guid.TryParseExact(text, "D", out var id) ? id : throw ApiException.Invalid(name, "is not a UUID");

    /// <summary>An argument that is a whole number; more than the most counts as that.</summary>
    public int Integer(string name, int fallback, int most) => Arguments.TryGetProperty(name, out var value) && value.TryGetDouble(out var number) ? (int)Math.Clamp(number, 1, most) : fallback;
}
