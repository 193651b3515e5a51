using System.Text.Json;
using Flapjack.Runtime.Tools;

namespace Flapjack.Runtime.Turns;

/// <summary>One tool call of a step on its way from the gate to its result.</summary>
internal sealed class StepCall(TurnCall call, TurnTool? tool, JsonElement? arguments)
{
    public TurnCall Call { get; } = call;
    /// <summary>What will run; null for client-side and unknown tools.</summary>
    public TurnTool? Tool { get; } = tool;
    /// <summary>The arguments as an object; null when they are none.</summary>
    public JsonElement? Arguments { get; } = arguments;
    /// <summary>Set by the gate for refused calls, else when the call ended. Null for client-side calls the client still has to answer.</summary>
    public ToolResult? Result { get; set; }
    /// <summary>The gate said no.</summary>
    public bool Refused { get; init; }
    /// <summary>The result was recorded before the server died; nobody needs to hear of it again.</summary>
    public bool Finished { get; init; }
    /// <summary>A result was handed to the journal, whatever became of it.</summary>
    public bool Journalled { get; set; }
    /// <summary>The tool asked the user to authorise.</summary>
    public AuthChallenge? Challenge { get; set; }
    /// <summary>The tool proposed another profile.</summary>
    public ProfileSwitchProposalEvent? Proposal { get; set; }

    public bool Runs => !Call.ClientSide && !Refused && !Finished;

    public TurnCallResult RecordedResult => new(Call.Id, Result!.Content, Result.IsError);

    public ToolResultEvent ResultEvent(long durationMs) =>
        new(Call.Id, Call.Name, Result!.Value, Result.IsError, Result.Truncated, durationMs);
}
