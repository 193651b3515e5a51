using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads.Multiplayer;

/// <summary>The agents of a turn, one after another in one stream. Most turns have one leg.</summary>
/// <param name="live">The stream.</param>
/// <param name="finished">Legs of earlier streams.</param>
internal sealed class TurnLegs(LiveTurn live, FinishedLegs finished)
{
    private bool _hasSpoken;

    public FinishedLegs Finished { get; private set; } = finished;

    /// <summary>Says who speaks now, unless it is the thread's own agent.</summary>
    public void Announce(TurnPlan plan)
    {
        _hasSpoken = false;
        if (plan.Agent.Id == plan.Thread.AgentId) return;
        Tell("agent_switched", new { AgentId = plan.Agent.Id, plan.Agent.Name });
    }

    /// <summary>Says that the message called nobody who answers.</summary>
    public void TellNotAddressed(IReadOnlyList<string> mentions) => Tell("not_addressed", new { Mentions = mentions });

    /// <summary>Tells an event of the leg that runs. Its first text is set apart from what the agents before it said.</summary>
    public void Tell(TurnEvent happened, TurnState leg)
    {
        if (happened is TokenEvent { Delta: var delta } && !_hasSpoken)
        {
            _hasSpoken = true;
            // A leg that goes on after the client's results has spoken in an earlier stream; its joint is the loop's.
            if (Finished.Text.Length > 0 && leg.Text.Length == delta.Length) TurnEventJson.Append(live, new TokenEvent(TurnLoop.Joint));
        }
        TurnEventJson.Append(live, happened);
    }

    /// <summary>The leg has ended and is stored; another one follows.</summary>
    public void End(TurnState leg, Guid? messageId) => Finished = Finished.And(leg, messageId);

    /// <summary>Whether the next agent is asked after this end: not when the user has to authorise something first, or the client has calls to answer.</summary>
    public static bool GoesOn(TurnOutcome outcome) => outcome.FinishReason is not (null or "auth_challenge");

    public string TextWith(TurnState leg) => FinishedLegs.Join(Finished.Text, leg.Text.ToString());

    public ModelUsage UsageWith(TurnState leg) => Finished.Usage + leg.Usage;

    public decimal? CostWith(TurnState leg) => FinishedLegs.Sum(Finished.CostUsd, leg.CostUsd);

    private void Tell<T>(string kind, T payload) => TurnEventJson.Append(live, new ClientEvent(kind, JsonSerializer.SerializeToElement(payload, WireJson.Responses)));
}
