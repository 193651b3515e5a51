using Flapjack.Server.Agents;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Knowledge;

/// <summary>What a document belongs to.</summary>
internal readonly record struct ScopeRef(string Type, Guid Id);

/// <summary>Which scopes the caller may use: those whose organisation, agent or thread the caller sees.</summary>
internal sealed class ScopeAccess(FlapjackDb db, CallerContext access)
{
    /// <summary>Reads the two fields that name a scope; null with a fault added.</summary>
    public static ScopeRef? Read(FieldErrors errors, string? type, string? id)
    {
        if (type is null) errors.Add("scopeType", "is required");
        else errors.OneOf("scopeType", type, ScopeTypes.Org, ScopeTypes.Agent, ScopeTypes.Thread, ScopeTypes.Runner);
        var parsed = errors.Id("scopeId", id, required: true);
        return errors.Count == 0 ? new(type!, parsed!.Value) : null;
    }

    /// <summary>404 when the scope does not exist for this caller.</summary>
    public async Task RequireAsync(ScopeRef scope, CancellationToken cancellationToken)
    {
        switch (scope.Type)
        {
            case ScopeTypes.Org:
                if (scope.Id != access.OrgId) throw ApiException.NotFound("Organisation");
                break;
            case ScopeTypes.Agent:
                await db.Agents.AsNoTracking().FindAliveAsync(scope.Id, cancellationToken);
                break;
            case ScopeTypes.Thread:
                if (!await Threads.ContainsAsync(scope.Id, cancellationToken)) throw ApiException.NotFound("Thread");
                break;
            default:
                // There are no runners yet.
                throw ApiException.NotFound("Runner");
        }
    }

    /// <summary>The documents the caller may reach by id.</summary>
    public IQueryable<Document> Documents
    {
        get
        {
            var shown = db.Documents.AsNoTracking().Where(d => d.Status != DocumentStatuses.Receiving && d.Status != DocumentStatuses.Deleted);
            if (access.SeesWholeOrg) return shown;
            var threads = Threads;
            return shown.Where(d => d.ScopeType != ScopeTypes.Thread || threads.Contains(d.ScopeId));
        }
    }

    /// <summary>Those of one scope.</summary>
    public IQueryable<Document> In(ScopeRef scope)
    {
        var number = db.KnowledgeScopes.Where(s => s.ScopeId == scope.Id).Select(s => (long?)s.Number);
        return Documents.Where(d => number.Contains(d.Scope));
    }

    public async Task<Document> FindAsync(Guid id, CancellationToken cancellationToken) =>
        await Documents.FirstOrDefaultAsync(d => d.Id == id, cancellationToken) ?? throw ApiException.NotFound("Document");

    private IQueryable<Guid> Threads => access.SeesWholeOrg ? db.ThreadIds : db.ThreadIdsOf(access.Caller.UserId?.ToString() ?? "");
}
