using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Knowledge.Search;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Knowledge.Turns;

/// <summary>Remembers which chunks stood in the prompt of a turn.</summary>
internal sealed class TurnSources(IWriter writer, Databases databases)
{
    public Task StoreAsync(PromptRequest request, IReadOnlyList<FoundChunk> chunks, CancellationToken cancellationToken) => writer.WriteAsync(
        [.. chunks.Select((chunk, rank) => TurnSourceSql.Insert(request.TurnId, request.For.AgentId!.Value, rank, request.For.OrgId, request.For.ThreadId, chunk))], cancellationToken);

    /// <summary>A turn that goes on looks anew, and may find less, or nothing.</summary>
    public Task ForgetAsync(PromptRequest request, CancellationToken cancellationToken) =>
        writer.WriteAsync([TurnSourceSql.Forget(request.TurnId, request.For.AgentId!.Value, request.For.OrgId)], cancellationToken);

    /// <summary>Best first. Documents that were deleted since are left out.</summary>
    /// <param name="orgId">Whose turn.</param>
    /// <param name="turnId">The turn.</param>
    /// <param name="agentId">Whose answer, when several agents answered; null = the only one's.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<IReadOnlyList<FoundChunk>> ReadAsync(Guid orgId, Guid turnId, Guid? agentId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        var rows = db.TurnSources.AsNoTracking().Where(s => s.TurnId == turnId && db.Documents.Any(d => d.Id == s.DocumentId && d.Status != DocumentStatuses.Deleted));
        if (agentId is not null) rows = rows.Where(s => s.AgentId == agentId);
        return await rows.OrderBy(s => s.AgentId).ThenBy(s => s.Rank)
            .Select(s => new FoundChunk(s.DocumentId, s.ChunkId, s.Title, s.SourceRef, s.ScopeType, s.Position, null, s.Page, s.Score, s.Text, 0)).ToListAsync(cancellationToken);
    }
}

internal static class TurnSourceSql
{
    // The node that had the turn before may still be writing.
    private const string InsertText = """
        INSERT INTO turn_sources (turn_id, agent_id, rank, org_id, thread_id, document_id, chunk_id, title, source_ref, scope_type, position, page, score, text)
        SELECT $1, $2, $3, $4, $5, id, $7, $8, $9, $10, $11, $12, $13, $14 FROM documents WHERE id = $6 AND org_id = $4
        ON CONFLICT (turn_id, agent_id, rank) DO UPDATE SET document_id = excluded.document_id, chunk_id = excluded.chunk_id, title = excluded.title, source_ref = excluded.source_ref,
            scope_type = excluded.scope_type, position = excluded.position, page = excluded.page, score = excluded.score, text = excluded.text
        """;

    private const string ForgetText = "DELETE FROM turn_sources WHERE turn_id = $1 AND agent_id = $2 AND org_id = $3";

    public static SqlStatement Forget(Guid turn, Guid agent, Guid org) => new(ForgetText, [turn, agent, org]);

    public static SqlStatement Insert(Guid turn, Guid agent, int rank, Guid org, Guid? thread, FoundChunk c) => new(InsertText,
        [turn, agent, rank, org, thread, c.DocumentId, c.ChunkId, c.Title, c.SourceRef, c.ScopeType, c.Position, c.Page, c.Score, c.Text]);
}
