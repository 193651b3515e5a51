using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Memory.Recall;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Memory.Tools;

/// <summary>Carries out the memory tools of one turn, within the scopes that are open to it.</summary>
internal sealed class MemoryDesk(MemoryStore store, MemoryRecall recall, IReadOnlyList<MemoryScope> scopes, int maxMemories)
{
    /// <summary>A memory is forgotten by a text only when it says nearly the same.</summary>
    private const double SurelyMeant = 0.8;

    private const int UsualLimit = 5;

    public async ValueTask<object?> StoreAsync(ToolInput input, CancellationToken cancellationToken)
    {
        var caller = input.Context.Caller;
        var content = input.Text("content")!;
        if (string.IsNullOrWhiteSpace(content)) throw new ToolException(ToolErrors.InvalidArguments, "content: must not be blank");
        // PostgreSQL stores no U+0000.
        content = content.Replace('\0', '\uFFFD');
        try
        {
            var memory = await store.StoreAsync(new(caller.OrgId, caller.AgentId!.Value, ScopeOf(input), content, MemorySources.Tool, maxMemories) { ReplacesLookalike = true }, cancellationToken);
            input.Context.EmitClientEvent("memory_stored", JsonSerializer.SerializeToElement(new { Count = 1 }, WireJson.Responses));
            return Json(new { memory.Id, Stored = true });
        }
        catch (ApiException gone) when (gone.Status == 404)
        {
            throw new ToolException(ToolErrors.NotFound, gone.Detail, gone);
        }
    }

    public async ValueTask<object?> RecallAsync(ToolInput input, CancellationToken cancellationToken)
    {
        var caller = input.Context.Caller;
        var within = input.Text("scope") is { } kind ? [.. scopes.Where(s => s.Kind == kind)] : scopes;
        if (within.Count == 0) throw NotOpen(input.Text("scope")!);
        var found = await recall.FindAsync(new(caller.OrgId, caller.AgentId!.Value, within, input.Text("query")!, input.Number("limit") ?? UsualLimit), cancellationToken);
        await recall.TouchAsync(found, cancellationToken);
        return Json(new { Memories = found.Select(r => new { r.Memory.Id, r.Memory.Content, r.Memory.Scope, Score = Math.Round(r.Score, 4), r.Memory.CreatedAt }) });
    }

    public async ValueTask<object?> ForgetAsync(ToolInput input, CancellationToken cancellationToken)
    {
        var caller = input.Context.Caller;
        var id = input.Id("memory_id");
        if (id is null)
        {
            var query = input.Text("query") ?? throw new ToolException(ToolErrors.InvalidArguments, "memory_id or query is required");
            var found = await recall.FindAsync(new(caller.OrgId, caller.AgentId!.Value, scopes, query, 1), cancellationToken);
            id = found.Find(r => r.Score > SurelyMeant)?.Memory.Id ?? throw new ToolException(ToolErrors.NotFound, "No memory says nearly this. Recall it first and name its memory_id.");
        }
        var open = scopes.Select(s => s.Id).ToList();
        var deleted = await store.ForgetAsync(caller.OrgId, db => Open(db, caller.AgentId!.Value, open).Where(m => m.Id == id), cancellationToken);
        return deleted == 1 ? Json(new { Forgotten = 1 }) : throw new ToolException(ToolErrors.NotFound, "There is no such memory.");
    }

    private MemoryScope ScopeOf(ToolInput input)
    {
        var (kind, resource) = (input.Text("scope"), input.Text("resource"));
        if (kind is null && resource is not null) kind = MemoryScope.Resource;
        kind ??= scopes[0].Kind;
        var fitting = scopes.Where(s => s.Kind == kind && (kind != MemoryScope.Resource || resource is null || s.Id == resource)).ToList();
        if (fitting.Count == 1) return fitting[0];
        if (fitting.Count > 1) throw new ToolException(ToolErrors.InvalidArguments, $"resource: is required, one of {string.Join(", ", fitting.Select(s => s.Id))}");
        throw resource is not null && scopes.Any(s => s.Kind == kind) ? new ToolException(ToolErrors.InvalidArguments, $"resource: is not bound here; one of {string.Join(", ", scopes.Where(s => s.Kind == kind).Select(s => s.Id))}") : NotOpen(kind);
    }

    private ToolException NotOpen(string kind) => new(ToolErrors.InvalidArguments, $"scope: {kind} is not open here; one of {string.Join(", ", scopes.Select(s => s.Kind).Distinct())}");

    private static IQueryable<MemoryEntry> Open(FlapjackDb db, Guid agentId, List<string> scopes) => db.Memories.AsNoTracking().Where(m => m.AgentId == agentId && scopes.Contains(m.ScopeId));

    private static JsonElement Json(object value) => JsonSerializer.SerializeToElement(value, WireJson.Responses);
}
