using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Multiplayer;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Lifetime;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Conversations;

/// <summary>A message that no request brings.</summary>
/// <param name="OrgId">The organisation.</param>
/// <param name="AgentId">Who answers it.</param>
/// <param name="Content">What it says.</param>
internal sealed record UnattendedMessage(Guid OrgId, Guid AgentId, string Content)
{
    /// <summary>Where it belongs; null, or a thread that is gone or archived: a new one.</summary>
    public Guid? ThreadId { get; init; }

    /// <summary>Of a new thread.</summary>
    public string? Title { get; init; }

    /// <summary>Who it says wrote it.</summary>
    public required string SenderName { get; init; }

    /// <summary>For whom the turn runs; null = the thread's user.</summary>
    public string? UserId { get; init; }

    /// <summary>One of <see cref="TurnDoors"/>.</summary>
    public required string Source { get; init; }
}

/// <summary>What the message's own feature writes in the transaction that stores the turn.</summary>
/// <param name="Guard">First statement: when it finds no row, nothing happens.</param>
/// <param name="Started">Last statement, which has to ask whether the thread belongs to the turn.</param>
internal sealed record UnattendedWrites(SqlStatement Guard, SqlStatement Started);

/// <summary>Whether the turn began.</summary>
/// <param name="Run">It runs.</param>
/// <param name="IsBusy">The thread is another turn's, or the server stops: nothing happened, and it may be tried again.</param>
internal sealed record UnattendedStart(TurnRun? Run, bool IsBusy);

/// <summary>Starts turns that nobody waits for. They are turns like others: same planner, same store, same host; a node that dies leaves them to another one.</summary>
internal sealed class UnattendedTurns(IServiceScopeFactory scopes, TurnStore store, TurnHost host, Databases databases, ThreadOpening openings, UnattendedContext context)
{
    private const int MaxAttempts = 100;

    /// <summary>Stores message, turn and, where it needs one, thread together with what the feature writes, or nothing of all that.</summary>
    /// <exception cref="ApiException">The turn cannot begin: the agent is gone, or its model is unknown.</exception>
    public async Task<UnattendedStart> StartAsync(UnattendedMessage message, Func<LiveTurn, DateTime, UnattendedWrites> writes, CancellationToken cancellationToken)
    {
        // 1. Agent and thread.
        await using var db = databases.Open(message.OrgId);
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(message.AgentId, cancellationToken);
        var known = message.ThreadId is { } id ? await db.Threads.AsNoTracking().FirstOrDefaultAsync(t => t.Id == id && t.Status == "active", cancellationToken) : null;
        if (known is { ActiveTurnId: not null } or { PendingTurnId: not null }) return new(null, IsBusy: true);
        var thread = known ?? NewThread(message, Ids.New());
        // 2. The plan.
        var plan = await PlanAsync(message, thread, agent, cancellationToken);
        if (context.Draining.IsDraining) return new(null, IsBusy: true);
        // 3. Everything in one unit; not cancelled half way, since what is stored as running must run.
        var live = new LiveTurn(Ids.New(), thread.OrgId, thread.Id);
        var deliveries = known is null ? [] : await DeliveriesAsync(live, cancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            var said = Said(message, plan, live);
            var own = writes(live, said.CreatedAt);
            var result = await context.Writer.WriteAsync([own.Guard, .. known is null ? [ThreadSql.Insert(plan.Thread)] : Array.Empty<SqlStatement>(), .. store.OpeningOf(plan, live.TurnId, said), .. deliveries, own.Started], CancellationToken.None);
            if (result.Refused) return new(null, IsBusy: false);
            if (result.Returned is { } seq) return new(Start(plan, live, said, seq), IsBusy: false);
            if (known is not null || attempt == MaxAttempts) return new(null, IsBusy: true);
            // Another node opened a thread in this microsecond; the next one is free sooner or later.
            plan = plan with { Thread = NewThread(message, thread.Id) };
        }
    }

    // 4. From here on the turn is this node's, or whoever takes it over.
    private TurnRun Start(TurnPlan plan, LiveTurn live, Message said, long seq)
    {
        var run = host.Start(plan, live, new(said.CreatedAt, said.Content, said.Id, said, seq, 1, null));
        live.RemoveReader();
        return run;
    }

    private Message Said(UnattendedMessage message, TurnPlan plan, LiveTurn live) => new()
    {
        Id = Ids.New(),
        OrgId = plan.Thread.OrgId,
        ThreadId = plan.Thread.Id,
        TurnId = live.TurnId,
        Seq = 0,
        Role = MessageRoles.User,
        Content = message.Content,
        SenderName = message.SenderName,
        CreatedAt = context.Time.Now(),
    };

    private async Task<List<SqlStatement>> DeliveriesAsync(LiveTurn live, CancellationToken cancellationToken)
    {
        var statements = new List<SqlStatement>();
        foreach (var delivery in context.Deliveries) statements.AddRange(await delivery.OfAsync(live.OrgId, live.ThreadId, live.TurnId, cancellationToken));
        return statements;
    }

    private ConversationThread NewThread(UnattendedMessage message, Guid id)
    {
        var now = openings.Next();
        return new() { Id = id, OrgId = message.OrgId, AgentId = message.AgentId, Title = message.Title, Kind = ThreadKinds.Single, UserId = message.UserId, CreatedAt = now, UpdatedAt = now };
    }

    private async Task<TurnPlan> PlanAsync(UnattendedMessage message, ConversationThread thread, Agent agent, CancellationToken cancellationToken)
    {
        var options = new TurnOptions
        {
            SenderName = message.SenderName,
            Source = message.Source,
            ContinueOnDisconnect = true,
            // Whom it is for is settled: nobody has to be called by a handle.
            Addressed = thread.IsMultiplayer ? new([agent.Id], (await context.Configs.ReadAsync<MultiplayerConfig>(thread.OrgId, thread.AgentId, cancellationToken)).Value.IncludeSenderNames) : null,
        };
        await using var scope = scopes.CreateAsyncScope();
        // No credential whose revocation would end it.
        scope.ServiceProvider.GetRequiredService<CallerContext>().Resume(message.OrgId, message.UserId, Guid.Empty);
        return await scope.ServiceProvider.GetRequiredService<TurnPlanner>().PlanAsync(thread, agent, options, null, cancellationToken);
    }
}

/// <summary>What such turns share.</summary>
internal sealed record UnattendedContext(IWriter Writer, AgentConfigs Configs, Draining Draining, IEnumerable<IAnswerDelivery> Deliveries, TimeProvider Time);
