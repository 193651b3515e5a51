using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tools;

/// <summary>A server-side tool as a turn sees it.</summary>
/// <param name="Function">Name, description, schema and code.</param>
/// <param name="SpanKind">Kind of its trace span: <c>tool</c>, <c>mcp</c>, <c>webhook</c> or <c>agent</c>.</param>
/// <param name="Idempotent">May be called again after a crash with the same call id.</param>
/// <param name="Gated">Tool profiles apply to it. False only for the profile tool itself.</param>
/// <param name="Planning">Offered in plan mode too: it writes a plan, or only reads.</param>
/// <param name="Withheld">Exists and is known, but an allow-list keeps it from the agent: never offered, and refused when called.</param>
/// <param name="Settles">On a stop the call is waited for, at most a second, so that it can end what it began and book what that cost.</param>
public sealed record TurnTool(AIFunction Function, string SpanKind = "tool", bool Idempotent = false, bool Gated = true, bool Planning = false, bool Withheld = false, bool Settles = false)
{
    /// <summary>The name the model uses.</summary>
    public string Name => Function.Name;
}
