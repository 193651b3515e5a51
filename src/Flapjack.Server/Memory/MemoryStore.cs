using Flapjack.Server.Memory.Recall;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Memory;

/// <summary>Stores memories and lets go of them. Whatever stores for one agent meets at the agent's row, so that its limit holds and nothing is stored for an agent or thread that is just being deleted.</summary>
internal sealed class MemoryStore(Databases databases, MemoryEmbedding embedding, MemoryRecall recall, MemoryNumbers numbers, TimeProvider time)
{
    private const double NearlyEqual = 0.95;
    private const int Lookalikes = 20, DeleteBatch = 500;

    /// <summary>Stores a memory; one that says the same already is brought up to date instead, where the memory asks for that. 404 when its agent or thread is gone.</summary>
    public async Task<MemoryEntry> StoreAsync(NewMemory memory, CancellationToken cancellationToken)
    {
        var vector = await embedding.TryAsync(memory.OrgId, memory.Content, cancellationToken);
        var known = memory.ReplacesLookalike ? await LookalikeAsync(memory, vector, cancellationToken) : null;
        await using var db = databases.Open(memory.OrgId);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await LockAsync(db, memory, cancellationToken);
        var entry = known is null ? null : await db.Memories.FirstOrDefaultAsync(m => m.Id == known, cancellationToken);
        // Two turns may learn the same at the same moment.
        var fingerprint = MemoryWords.Fingerprint(memory.Scope, memory.Content);
        if (entry is null && memory.ReplacesLookalike) entry = await db.Memories.FirstOrDefaultAsync(m => m.AgentId == memory.AgentId && m.Fingerprint == fingerprint, cancellationToken);
        if (entry is null) db.Memories.Add(entry = EntryOf(memory, fingerprint));
        else await UpdateAsync(db, entry, memory, fingerprint, cancellationToken);
        // Words and vector name the memory's row, so it comes first.
        await db.SaveChangesAsync(cancellationToken);
        db.MemoryTerms.AddRange(MemoryWords.Telling(memory.Content).Select(word => MemoryWords.TermOf(memory.AgentId, word)).Distinct().Select(term => new MemoryTerm { Term = term, MemoryNumber = entry.Number }));
        if (vector is not null) db.MemoryVectors.Add(new() { MemoryNumber = entry.Number, Model = embedding.Model!, Vector = vector });
        await db.SaveChangesAsync(cancellationToken);
        await MakeRoomAsync(db, entry, memory.MaxMemories, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return entry;
    }

    /// <summary>Deletes memories, some at a time. Says how many there were.</summary>
    public async Task<int> ForgetAsync(Guid orgId, Func<FlapjackDb, IQueryable<MemoryEntry>> which, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(orgId);
        for (var deleted = 0; ;)
        {
            var some = await which(db).Select(m => m.Id).Take(DeleteBatch).ToListAsync(cancellationToken);
            if (some.Count > 0) deleted += await db.Memories.Where(m => some.Contains(m.Id)).ExecuteDeleteAsync(cancellationToken);
            if (some.Count < DeleteBatch) return deleted;
        }
    }

    private async Task<Guid?> LookalikeAsync(NewMemory memory, byte[]? vector, CancellationToken cancellationToken)
    {
        var found = await recall.FindAsync(new(memory.OrgId, memory.AgentId, [memory.Scope], memory.Content, Lookalikes) { Vector = new(vector) }, cancellationToken);
        return found.Find(r => (r.IsCosine ? r.Score : MemoryWords.Similarity(r.Memory.Content, memory.Content)) >= NearlyEqual)?.Memory.Id;
    }

    private static async Task LockAsync(FlapjackDb db, NewMemory memory, CancellationToken cancellationToken)
    {
        if (await db.Agents.Where(a => a.Id == memory.AgentId && a.DeletedAt == null).ExecuteUpdateAsync(rows => rows.SetProperty(a => a.Equipment, a => a.Equipment), cancellationToken) == 0) throw ApiException.NotFound("Agent");
        if (memory.ThreadId is { } thread && await db.Threads.Where(t => t.Id == thread).ExecuteUpdateAsync(rows => rows.SetProperty(t => t.Kind, t => t.Kind), cancellationToken) == 0) throw ApiException.NotFound("Thread");
    }

    private MemoryEntry EntryOf(NewMemory memory, long fingerprint)
    {
        var now = time.Now();
        return new()
        {
            Id = Ids.New(),
            Number = numbers.Next(),
            OrgId = memory.OrgId,
            AgentId = memory.AgentId,
            Scope = memory.Scope.Kind,
            ScopeId = memory.Scope.Id,
            ThreadId = memory.ThreadId,
            Content = memory.Content,
            Fingerprint = fingerprint,
            Source = memory.Source,
            Metadata = memory.Metadata,
            TouchedAt = now,
            CreatedAt = now,
        };
    }

    private async Task UpdateAsync(FlapjackDb db, MemoryEntry entry, NewMemory memory, long fingerprint, CancellationToken cancellationToken)
    {
        (entry.Content, entry.Fingerprint, entry.TouchedAt) = (memory.Content, fingerprint, time.Now());
        await db.MemoryTerms.Where(t => t.MemoryNumber == entry.Number).ExecuteDeleteAsync(cancellationToken);
        await db.MemoryVectors.Where(v => v.MemoryNumber == entry.Number).ExecuteDeleteAsync(cancellationToken);
    }

    private static async Task MakeRoomAsync(FlapjackDb db, MemoryEntry newest, int most, CancellationToken cancellationToken)
    {
        var surplus = await db.Memories.CountAsync(m => m.AgentId == newest.AgentId, cancellationToken) - most;
        if (surplus <= 0) return;
        // A limit that was lowered is reached in steps, so that no single turn waits for all of it.
        var gone = await db.Memories.Where(m => m.AgentId == newest.AgentId && m.Id != newest.Id).OrderBy(m => m.TouchedAt).ThenBy(m => m.Number).Take(Math.Min(surplus, DeleteBatch)).Select(m => m.Id).ToListAsync(cancellationToken);
        await db.Memories.Where(m => gone.Contains(m.Id)).ExecuteDeleteAsync(cancellationToken);
    }
}

/// <summary>A checked memory to store.</summary>
internal sealed record NewMemory(Guid OrgId, Guid AgentId, MemoryScope Scope, string Content, string Source, int MaxMemories)
{
    /// <summary>JSON object.</summary>
    public string Metadata { get; init; } = "{}";

    /// <summary>One that says nearly the same takes this text instead of becoming a second one.</summary>
    public bool ReplacesLookalike { get; init; }

    public Guid? ThreadId => Scope.Kind == MemoryScope.Thread ? Guid.Parse(Scope.Id) : null;
}
