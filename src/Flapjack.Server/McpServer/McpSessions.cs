using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.McpServer;

/// <summary>Begins, finds and ends sessions of MCP clients.</summary>
internal sealed class McpSessions(FlapjackDb db, CallerContext access, McpListeners listeners, TimeProvider time)
{
    /// <summary>Header that carries a session's id.</summary>
    public const string Header = "Mcp-Session-Id";

    public async Task<McpSession> BeginAsync(Guid? agentId, CancellationToken cancellationToken)
    {
        var session = new McpSession { Id = Ids.New(), OrgId = access.OrgId, AgentId = agentId, CredentialId = access.Caller.Identity, CreatedAt = time.Now() };
        db.McpSessions.Add(session);
        await db.SaveChangesAsync(cancellationToken);
        return session;
    }

    /// <summary>A session the caller began at this endpoint; null when there is none.</summary>
    public async Task<McpSession?> FindAsync(string id, Guid? agentId, CancellationToken cancellationToken)
    {
        if (!Guid.TryParseExact(id, "D", out var sessionId)) return null;
        var credential = access.Caller.Identity;
        return await db.McpSessions.AsNoTracking().FirstOrDefaultAsync(s => s.Id == sessionId && s.AgentId == agentId && s.CredentialId == credential, cancellationToken);
    }

    public async Task EndAsync(McpSession session, CancellationToken cancellationToken)
    {
        await db.McpSessions.Where(s => s.Id == session.Id).ExecuteDeleteAsync(cancellationToken);
        listeners.End(session.Id);
    }
}

/// <summary>Forgets sessions whose client did not end them. A client that still uses one begins another.</summary>
internal sealed class McpSessionSweep(Databases databases, TimeProvider time) : IHousekeepingTask
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    public string Name => "mcp sessions";

    public HousekeepingScope Scope => HousekeepingScope.Cluster;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var before = time.Now() - Lifetime;
        await using var db = databases.OpenForServer();
        await db.McpSessions.IgnoreQueryFilters().Where(s => s.CreatedAt < before).ExecuteDeleteAsync(cancellationToken);
    }
}
