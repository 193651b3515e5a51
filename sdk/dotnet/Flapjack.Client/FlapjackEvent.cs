using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flapjack.Client;

/// <summary>An event of a turn. Types that a newer server adds are <see cref="OtherEvent"/>s.</summary>
public abstract record FlapjackEvent
{
    /// <summary><c>&lt;turn&gt;:&lt;number&gt;</c>; empty for what this client made.</summary>
    [JsonIgnore]
    public string Id { get; internal init; } = "";

    /// <summary>All fields of the event as they came, also those this client does not know; undefined for what this client made.</summary>
    [JsonIgnore]
    public JsonElement Data { get; internal init; }

    internal Guid TurnId => Guid.TryParse(Id.AsSpan(0, Math.Max(0, Id.LastIndexOf(':'))), out var turn) ? turn : Guid.Empty;

    internal bool IsLast => this is DoneEvent or ErrorEvent or RequiresActionEvent;

    internal static FlapjackEvent Parse(string id, string type, string data)
    {
        using var document = JsonDocument.Parse(data);
        var element = document.RootElement.Clone();
        FlapjackEvent parsed = type switch
        {
            "meta" => As<MetaEvent>(element),
            "token" => As<TokenEvent>(element),
            "tool_call" => As<ToolCallEvent>(element),
            "tool_executing" => As<ToolExecutingEvent>(element),
            "tool_result" => As<ToolResultEvent>(element),
            "custom" => As<CustomEvent>(element),
            "client_event" => As<ClientEvent>(element),
            "auth_challenge" => As<AuthChallengeEvent>(element),
            "profile_switch_proposal" => As<ProfileSwitchProposalEvent>(element),
            "requires_action" => As<RequiresActionEvent>(element),
            "done" => As<DoneEvent>(element),
            "error" => As<ErrorEvent>(element),
            _ => new OtherEvent(type),
        };
        return parsed with { Id = id, Data = element };
    }

    private static T As<T>(JsonElement data) where T : FlapjackEvent => data.Deserialize<T>(Wire.Events)!;
}

/// <summary>A call of a tool. <paramref name="Arguments"/> is JSON text, as the model wrote it.</summary>
public sealed record ToolCall(string Id, string Name, string Arguments)
{
    /// <summary>The arguments as a value. Throws <see cref="JsonException"/> when the model wrote something else than JSON.</summary>
    public T? ArgumentsAs<T>(JsonSerializerOptions? options = null) => JsonSerializer.Deserialize<T>(string.IsNullOrWhiteSpace(Arguments) ? "{}" : Arguments, options ?? Wire.Events);
}

/// <summary>A stream begins.</summary>
public sealed record MetaEvent(DateTimeOffset StartedAt, Guid ThreadId, Guid? UserMessageId, string Model) : FlapjackEvent;

/// <summary>A piece of the answer.</summary>
public sealed record TokenEvent(string Delta) : FlapjackEvent;

/// <summary>The model calls a tool that the server runs.</summary>
public sealed record ToolCallEvent(ToolCall Tool) : FlapjackEvent;

/// <summary>The server runs a tool.</summary>
public sealed record ToolExecutingEvent([property: JsonPropertyName("tool_name")] string ToolName, [property: JsonPropertyName("tool_call_id")] string ToolCallId) : FlapjackEvent;

/// <summary>What a tool gave; at most 64 KB of it, and then <paramref name="Truncated"/> is true.</summary>
public sealed record ToolResultEvent(
    [property: JsonPropertyName("tool_name")] string ToolName, [property: JsonPropertyName("tool_call_id")] string ToolCallId, JsonElement Result,
    [property: JsonPropertyName("is_error")] bool IsError, bool Truncated, [property: JsonPropertyName("duration_ms")] long DurationMs) : FlapjackEvent;

/// <summary>A tool tells something of its own.</summary>
public sealed record CustomEvent(string Kind, JsonElement Payload, [property: JsonPropertyName("tool_call_id")] string? ToolCallId) : FlapjackEvent;

/// <summary>The server tells something beside the answer, for example <c>model_fallback</c>.</summary>
public sealed record ClientEvent(string Kind, JsonElement Payload) : FlapjackEvent;

/// <summary>A tool needs the user to sign in somewhere.</summary>
public sealed record AuthChallengeEvent(string ToolName, AuthChallenge Challenge, string ToolCallId) : FlapjackEvent;

/// <summary>Where to sign in.</summary>
public sealed record AuthChallenge(string Provider, string RedirectUrl, string? Description);

/// <summary>The model proposes another tool profile.</summary>
public sealed record ProfileSwitchProposalEvent(string Target, string Reason) : FlapjackEvent;

/// <summary>The model calls tools of this client. With a handler they are answered and the events go on.</summary>
public sealed record RequiresActionEvent(IReadOnlyList<ToolCall> ToolCalls, DateTimeOffset ExpiresAt) : FlapjackEvent;

/// <summary>
/// Made by this client: the server could not go on where the stream broke. The text so far is <paramref name="Content"/>; what came after it is void and comes again,
/// and so do events of tools since <see cref="MetaEvent"/> or <see cref="RequiresActionEvent"/>, whichever was last.
/// </summary>
public sealed record RestartEvent(string Content) : FlapjackEvent;

/// <summary>The turn ended well. <paramref name="Content"/> is all of its text, <paramref name="Output"/> the value of an answer with a response format.</summary>
public sealed record DoneEvent(string Content, Guid? MessageId, bool Stopped, string? FinishReason, JsonElement? Output) : FlapjackEvent;

/// <summary>The turn failed. The text so far is kept in the thread.</summary>
public sealed record ErrorEvent(string Code, string? Detail) : FlapjackEvent;

/// <summary>An event of a type that this client does not know.</summary>
public sealed record OtherEvent(string Type) : FlapjackEvent;
