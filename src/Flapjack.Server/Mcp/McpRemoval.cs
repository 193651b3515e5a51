using Flapjack.Server.Agents;
using Flapjack.Server.Mcp.Connections;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Mcp;

/// <summary>Removes servers with what hangs on them; attachments go with their agent, connections with their organisation.</summary>
internal sealed class McpRemoval(FlapjackDb db, McpConnections connections) : IAgentDependant
{
    public async Task RemoveAsync(McpServer server, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.McpChangedAsync(server.Id, cancellationToken);
        await db.McpAttachments.Where(a => a.McpServerId == server.Id).ExecuteDeleteAsync(cancellationToken);
        await db.McpAuthorizations.Where(a => a.McpServerId == server.Id).ExecuteDeleteAsync(cancellationToken);
        await db.McpServers.Where(s => s.Id == server.Id).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        connections.Close(server.Id);
    }

    public Task OnDeletedAsync(Guid agentId, CancellationToken cancellationToken) => db.McpAttachments.Where(a => a.AgentId == agentId).ExecuteDeleteAsync(cancellationToken);

    public Task OnProfilesClearedAsync(Guid agentId, CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Connections of an organisation end with it.</summary>
internal sealed class OrgConnectionsEnd(McpConnections connections) : IOrgDependant
{
    public Task OnOrgDeletedAsync(Guid orgId, CancellationToken cancellationToken)
    {
        connections.CloseOrg(orgId);
        return Task.CompletedTask;
    }
}
