using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Multiplayer;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Multiplayer;

/// <summary>Settles who answers a message, and plans the answer of each. In a thread of kind <c>single</c> that is always the thread's agent.</summary>
internal sealed class TurnAddressing(TurnPlanner planner, AgentConfigs configs, Databases databases, CallerContext access)
{
    /// <summary>The plan of the first agent that answers; the others hang on it.</summary>
    public async ValueTask<TurnPlan> PlanAsync(ConversationThread thread, Agent agent, MessageDraft draft, CancellationToken cancellationToken)
    {
        if (!thread.IsMultiplayer) return await planner.PlanAsync(thread, agent, draft.Options, draft.Options.Profile, cancellationToken);
        var config = (await configs.ReadAsync<MultiplayerConfig>(agent.OrgId, agent.Id, cancellationToken)).Value;
        var mentions = config.Enabled ? Mentions.In(draft.Content ?? "") : [];
        var answering = mentions.Count == 0 ? [] : (await BookAsync(agent, config, cancellationToken)).Find(mentions);
        if (answering.Count == 0 && (!config.Enabled || config.RespondMode == MultiplayerConfig.Always)) answering = [agent];
        var sender = MessageSender.Of(draft.Options, access);
        var options = draft.Options with
        {
            SenderName = sender.Name,
            SenderId = sender.Id,
            Addressed = new([.. answering.Select(a => a.Id)], config.IncludeSenderNames),
            IsPlain = false,
        };
        if (answering.Count == 0) return await planner.PlanAsync(thread, agent, options, options.Profile, cancellationToken) with { Unheard = mentions };
        return await ChainAsync(thread, answering, options, options.Profile, cancellationToken);
    }

    /// <summary>The plan by which a stored turn goes on, with the agent whose turn it was and those after it. Agents that were deleted meanwhile are passed over, except the one that is waited for.</summary>
    public async ValueTask<TurnPlan> PlanRestAsync(ConversationThread thread, Agent agent, Turn turn, TurnOptions options, CancellationToken cancellationToken)
    {
        if (options.Addressed is not { } addressed) return await planner.PlanAsync(thread, agent, options, null, cancellationToken);
        if (addressed.Agents.Count == 0) return await planner.PlanAsync(thread, agent, options, null, cancellationToken) with { Unheard = [] };
        var rest = addressed.Agents.Skip(turn.Leg).ToList();
        await using var db = databases.Open(access);
        var alive = await db.Agents.AsNoTracking().Alive().Where(a => rest.Contains(a.Id)).ToDictionaryAsync(a => a.Id, cancellationToken);
        if (!alive.ContainsKey(rest[0])) throw ApiException.NotFound("Agent");
        var plan = await ChainAsync(thread, [.. rest.Where(alive.ContainsKey).Select(id => alive[id])], options, null, cancellationToken);
        return plan with { Finished = await FinishedLegs.ReadAsync(db, turn, cancellationToken) };
    }

    private async Task<AddressBook> BookAsync(Agent agent, MultiplayerConfig config, CancellationToken cancellationToken)
    {
        var book = new AddressBook();
        book.Add(agent, config.MentionNames);
        if (config.AdditionalAgents.Count == 0) return book;
        await using var db = databases.Open(access);
        var others = await db.Agents.AsNoTracking().Alive().Where(a => config.AdditionalAgents.Contains(a.Id)).ToDictionaryAsync(a => a.Id, cancellationToken);
        var theirs = await configs.ReadAllAsync<MultiplayerConfig>(agent.OrgId, others.Keys, cancellationToken);
        foreach (var id in config.AdditionalAgents)
        {
            if (others.TryGetValue(id, out var other)) book.Add(other, theirs.GetValueOrDefault(id)?.MentionNames ?? []);
        }
        return book;
    }

    private async ValueTask<TurnPlan> ChainAsync(ConversationThread thread, IReadOnlyList<Agent> agents, TurnOptions options, string? requestedProfile, CancellationToken cancellationToken)
    {
        var plans = new List<TurnPlan>(agents.Count);
        foreach (var agent in agents) plans.Add(await planner.PlanAsync(thread, agent, options, requestedProfile, cancellationToken));
        return Enumerable.Reverse(plans).Aggregate((next, plan) => plan with { Next = next });
    }
}
