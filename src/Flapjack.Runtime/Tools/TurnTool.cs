using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tools;

/// <summary>A server-side tool as a turn sees it.</summary>
/// <param name="Function">Name, description, schema and code.</param>
/// <param name="SpanKind">Kind of its trace span: <c>tool</c>, <c>mcp</c> or <c>webhook</c>.</param>
/// <param name="Idempotent">May be called again after a crash with the same call id.</param>
/// <param name="Gated">Tool profiles apply to it. False only for the profile tool itself.</param>
public sealed record TurnTool(AIFunction Function, string SpanKind = "tool", bool Idempotent = false, bool Gated = true)
{
    /// <summary>The name the model uses.</summary>
    public string Name => Function.Name;
}

/// <summary>Something that gives an agent tools: webhooks, MCP servers, memory, plans. Sources are asked once per turn, in registration order; on equal names the first wins.</summary>
public interface IToolSource
{
    /// <summary>The tools this source offers to one turn. A source that fails must not end the turn: it logs and returns none.</summary>
    ValueTask<IReadOnlyList<TurnTool>> ListAsync(ToolCaller caller, CancellationToken cancellationToken);
}
