using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Threads.Turns;

/// <summary>How far a turn got when it began to wait for the client; its next stream goes on from here, on any node.</summary>
internal sealed record TurnProgress(
    string Text, int TailStart, int ToolCallsUsed, int ClientRounds, ModelUsage Usage, decimal? CostUsd, long NextSequence, Guid RootSpanId, string? Input, string? Model = null, Guid Mark = default)
{
    public static TurnProgress Of(TurnRun run) => new(
        run.State.Text.ToString(), run.State.TailStart, run.State.ToolCallsUsed, run.State.ClientRounds, run.State.Usage, run.State.CostUsd,
        // One for the requires_action that follows.
        run.Live.NextSequence + 1, run.RootSpanId, run.Input, run.State.AnsweredBy ?? run.State.ModelId);

    /// <summary>Where the next agent of the turn begins; only the rounds of client-side calls are counted over all of them.</summary>
    public static TurnProgress OfNextLeg(TurnRun run) => Of(run) with { Text = "", TailStart = 0, ToolCallsUsed = 0, Usage = default, CostUsd = null, Model = null };

    public string ToText() => JsonSerializer.Serialize(this, WireJson.Responses);

    public static TurnProgress Parse(string text) => JsonSerializer.Deserialize<TurnProgress>(text, WireJson.Responses)!;

    public void ApplyTo(TurnState state)
    {
        state.Text.Append(Text);
        state.TailStart = TailStart;
        state.ToolCallsUsed = ToolCallsUsed;
        state.ClientRounds = ClientRounds;
        state.Usage = Usage;
        state.CostUsd = CostUsd;
    }
}
