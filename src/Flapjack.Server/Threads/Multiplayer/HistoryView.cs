using Flapjack.Runtime.Prompts;
using Flapjack.Server.Threads.Turns;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Threads.Multiplayer;

/// <summary>A thread's history as one agent sees it: its own answers are the assistant's, those of other agents are what somebody said.</summary>
/// <param name="Thread">The thread.</param>
/// <param name="Agent">Who reads.</param>
/// <param name="Host">The thread's own agent, whose rows need not name it.</param>
/// <param name="WithNames">Whether user messages begin with the name of who wrote them.</param>
internal readonly record struct HistoryView(Guid Thread, Guid Agent, Guid Host, bool WithNames)
{
    public static HistoryView Of(TurnPlan plan) => new(plan.Thread.Id, plan.Agent.Id, plan.Thread.AgentId, plan.Options.Addressed?.WithNames ?? false);

    /// <summary>True for an answer, a step or a call of another agent.</summary>
    public bool IsOfAnother(Message row) => row.SenderId is null ? Agent != Host : !Guid.TryParse(row.SenderId, out var sender) || sender != Agent;

    /// <summary>Another agent's answer. Providers know one assistant, the one they speak as, so it comes as a user's message with a name before it.</summary>
    public static ChatMessage Said(Message answer) => new HistoryMessage(ChatRole.User, $"{answer.SenderName ?? "Assistant"}: {answer.Content}") { AuthorName = answer.SenderName ?? "Assistant" };
}
