using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Server.Platform.Http;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Threads.Turns;

/// <summary>What a message asks of its turn. Stored with the turn, because a stream that brings tool results must go on under the same terms.</summary>
internal sealed record TurnOptions
{
    private static readonly string Plain = JsonSerializer.Serialize(new TurnOptions(), WireJson.Responses);

    public string? Model { get; init; }
    public string? SenderName { get; init; }
    public string? SenderId { get; init; }
    public string? Profile { get; init; }
    public string? Overlay { get; init; }

    /// <summary>JSON array; null = the thread's bindings.</summary>
    public string? Bindings { get; init; }

    /// <summary>Instead of the agent's.</summary>
    public double? Temperature { get; init; }

    /// <summary>The agent's own limit holds as well.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>Texts at which the model stops; providers that know none ignore them.</summary>
    public IReadOnlyList<string> StopSequences { get; init; } = [];

    public bool ContinueOnDisconnect { get; init; }
    public IReadOnlyList<ClientTool> Tools { get; init; } = [];
    public IReadOnlyList<string> FallbackModels { get; init; } = [];
    public AnthropicSettings Anthropic { get; init; } = new();
    public OpenAISettings OpenAI { get; init; } = new();

    /// <summary>Partial configs by feature (<c>web</c>, <c>memory</c>, <c>computer</c>, <c>plan</c>); the features read them.</summary>
    public IReadOnlyDictionary<string, JsonElement> Overrides { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>What the answer has to be; null = text.</summary>
    public ResponseFormat? Format { get; init; }

    /// <summary>Who answers, in a multiplayer thread; null in others.</summary>
    public Multiplayer.AddressedAgents? Addressed { get; init; }

    /// <summary>Set when another agent asked for the turn: what it does is part of that agent's trace.</summary>
    public Agents.Equipment.DelegationChain? Delegation { get; init; }

    /// <summary>The door the message came through, one of <see cref="TurnDoors"/>.</summary>
    public string Source { get; init; } = TurnDoors.Api;

    /// <summary>JSON object for the trace.</summary>
    public JsonElement? Metadata { get; init; }

    /// <summary>True when the message asked for nothing special, as most do.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsPlain { get; init; }

    public string ToText() => IsPlain ? Plain : JsonSerializer.Serialize(this, WireJson.Responses);

    public static TurnOptions Parse(string text) => text == Plain ? new() : JsonSerializer.Deserialize<TurnOptions>(text, WireJson.Responses)!;
}

/// <summary>The doors messages come through, as traces name them.</summary>
internal static class TurnDoors
{
    public const string Api = "api", Public = "public", Mcp = "mcp", A2A = "a2a", Schedule = "schedule", Channel = "channel";

    /// <summary>Name of the traces of turns whose message came through a door.</summary>
    public static string TraceOf(string door) => door switch { Public => "public-turn", Schedule => "scheduled-turn", Channel => "channel-turn", _ => "chat-turn" };
}

/// <summary>A tool the client runs.</summary>
internal sealed record ClientTool(string Name, string Description, JsonElement Parameters)
{
    public AIFunctionDeclaration ToDeclaration() => AIFunctionFactory.CreateDeclaration(Name, Description, Parameters, returnJsonSchema: null);
}

/// <summary>The client's result of one call.</summary>
internal sealed record ToolAnswer(string CallId, string Content, bool IsError);
