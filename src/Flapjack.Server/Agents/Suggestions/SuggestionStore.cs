using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents.Suggestions;

/// <summary>A suggestion before it is stored; its fields have been checked.</summary>
internal sealed record Proposal(string Category, string Severity, string Title, string? Detail, string? Patch);

/// <summary>Stores suggestions, a thousand an agent: older ones that were dismissed make room.</summary>
internal sealed class SuggestionStore(Databases databases, TimeProvider time)
{
    public const int MostKept = 1_000;

    /// <summary>Stores proposals together or not at all, in the order in which lists show them. 404 when the agent is gone, 409 when it has too many that nobody dismissed.</summary>
    /// <param name="agent">Whose.</param>
    /// <param name="source">Who made them.</param>
    /// <param name="proposals">What to store.</param>
    /// <param name="alongside">What else belongs to the same unit of work.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<List<Suggestion>> AddAsync(Agent agent, string source, IReadOnlyList<Proposal> proposals, Action<FlapjackDb>? alongside, CancellationToken cancellationToken)
    {
        var rows = Rows(agent, source, proposals);
        await using var db = databases.Open(agent.OrgId);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Agents.HoldAsync(agent.Id, cancellationToken);
        await MakeRoomAsync(db, agent.Id, rows.Count, cancellationToken);
        db.Suggestions.AddRange(rows);
        alongside?.Invoke(db);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return rows;
    }

    private List<Suggestion> Rows(Agent agent, string source, IReadOnlyList<Proposal> proposals)
    {
        var now = time.Now();
        return [.. proposals.Select((proposal, position) => new Suggestion
        {
            Id = Ids.New(),
            OrgId = agent.OrgId,
            AgentId = agent.Id,
            Category = proposal.Category,
            Severity = proposal.Severity,
            Title = proposal.Title,
            Detail = proposal.Detail,
            Patch = proposal.Patch,
            Source = source,
            // Lists are newest first, and the first of several is the one that matters most.
            CreatedAt = now.AddMicroseconds(proposals.Count - 1 - position),
        })];
    }

    private static async Task MakeRoomAsync(FlapjackDb db, Guid agentId, int wanted, CancellationToken cancellationToken)
    {
        var all = db.Suggestions.Where(s => s.AgentId == agentId);
        var tooMany = await all.CountAsync(cancellationToken) + wanted - MostKept;
        if (tooMany <= 0) return;
        var oldest = await all.Where(s => s.Dismissed).OrderBy(s => s.CreatedAt).ThenBy(s => s.Id).Select(s => s.Id).Take(tooMany).ToListAsync(cancellationToken);
        if (oldest.Count < tooMany) throw ApiException.Conflict($"the agent has {MostKept} suggestions; dismiss some");
        await all.Where(s => oldest.Contains(s.Id)).ExecuteDeleteAsync(cancellationToken);
    }
}

/// <summary>Suggestions go with their agent.</summary>
internal sealed class SuggestionRemoval(FlapjackDb db) : IAgentDependant
{
    public Task OnDeletedAsync(Guid agentId, CancellationToken cancellationToken) => db.Suggestions.Where(s => s.AgentId == agentId).ExecuteDeleteAsync(cancellationToken);

    public Task OnProfilesClearedAsync(Guid agentId, CancellationToken cancellationToken) => Task.CompletedTask;
}
