using System.Text.Json;
using Flapjack.Runtime.Tools;

namespace Flapjack.Runtime.Turns;

/// <summary>What happens in a turn between <c>meta</c> and its terminal event, in the order clients see it.</summary>
public abstract record TurnEvent;

/// <summary>Text of the answer.</summary>
public sealed record TokenEvent(string Delta) : TurnEvent;

/// <summary>The model called a server-side tool. <paramref name="Arguments"/> is the JSON text it wrote.</summary>
public sealed record ToolCallEvent(string Id, string Name, string Arguments) : TurnEvent;

/// <summary>The call passed every gate and is being made. Refused calls have none.</summary>
public sealed record ToolExecutingEvent(string Id, string Name) : TurnEvent;

/// <summary>The call has ended. <paramref name="Result"/> is any JSON, at most 64 KB; when it was cut it is a string and <paramref name="Truncated"/> is set.</summary>
public sealed record ToolResultEvent(string Id, string Name, JsonElement Result, bool IsError, bool Truncated, long DurationMs) : TurnEvent;

/// <summary>A tool's own event.</summary>
public sealed record CustomEvent(string Kind, JsonElement Payload, string? ToolCallId) : TurnEvent;

/// <summary>An event of the server's own kinds, such as <c>model_fallback</c>.</summary>
public sealed record ClientEvent(string Kind, JsonElement Payload) : TurnEvent
{
    /// <summary>The conversation before the turn is read as a summary from now on.</summary>
    public static ClientEvent Compaction(long beforeTokens, long afterTokens) => new("compaction", JsonText.Element(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("before_tokens", beforeTokens);
        writer.WriteNumber("after_tokens", afterTokens);
        writer.WriteEndObject();
    }));

    /// <summary>The turn ends here so that something can be added behind the summary.</summary>
    public static ClientEvent CompactionPaused() => new("compaction_paused", JsonText.TryParse("{}")!.Value);
}

/// <summary>A tool needs the user's authorisation.</summary>
public sealed record AuthChallengeEvent(string ToolCallId, string ToolName, AuthChallenge Challenge) : TurnEvent;

/// <summary>The model proposes another tool profile.</summary>
public sealed record ProfileSwitchProposalEvent(string Target, string Reason) : TurnEvent;
