using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents;

/// <summary>Every thread has an agent; those that talk to a model itself have one without prompt and tools, hidden, one an organisation.</summary>
internal sealed class PlainAgents(Databases databases, CallerContext access, ServerSettings settings, TimeProvider time)
{
    /// <summary>Id of the organisation's hidden agent, made when it is first needed. Two made at once do no harm: the older one is used from then on.</summary>
    public async Task<Guid> IdAsync(CancellationToken cancellationToken)
    {
        await using var db = databases.Open(access);
        if (await db.Agents.Where(a => a.Hidden && a.DeletedAt == null).OrderBy(a => a.Id).Select(a => (Guid?)a.Id).FirstOrDefaultAsync(cancellationToken) is { } known) return known;
        var now = time.Now();
        var agent = new Agent { Id = Ids.New(), OrgId = access.OrgId, Name = "Model", DefaultModel = "flapjack-offline", MaxToolCalls = settings.Turns.MaxToolCalls, Hidden = true, CreatedAt = now, UpdatedAt = now };
        db.Agents.Add(agent);
        await db.SaveChangesAsync(cancellationToken);
        return agent.Id;
    }
}
