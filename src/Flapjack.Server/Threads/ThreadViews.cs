using System.Text.Json;
using Flapjack.Server.Agents;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads;

/// <summary>Threads and messages as this server's own API shows them, for features that hand them on in another protocol.</summary>
internal sealed class ThreadViews(FlapjackDb db, CallerContext access, TimeProvider time)
{
    /// <summary>A page of the caller's active threads with an agent, newest first.</summary>
    public async Task<JsonElement> ListAsync(Guid agentId, int limit, string? cursor, CancellationToken cancellationToken)
    {
        DateTime? before = cursor is null ? null : WireTime.TryParse(cursor, out var at) ? at : throw ApiException.Invalid("cursor", "is not an ISO 8601 time");
        await db.Agents.FindAnyAsync(agentId, cancellationToken);
        var threads = (access.Role is null ? db.Threads : db.OwnThreads(access)).AsNoTracking().Where(t => t.AgentId == agentId && !t.Hidden && t.Status == "active");
        if (before is not null) threads = threads.Where(t => t.CreatedAt < before);
        var page = await threads.OrderByDescending(t => t.CreatedAt).Take(limit + 1).ToListAsync(cancellationToken);
        var now = time.Now();
        return JsonSerializer.SerializeToElement(new ThreadPage([.. page.Take(limit).Select(t => ThreadResponse.From(t, now))], page.Count > limit ? page[limit - 1].CreatedAt : null), WireJson.Responses);
    }

    /// <summary>The newest messages of a thread the caller may see, oldest first.</summary>
    public async Task<JsonElement> MessagesAsync(Guid threadId, int limit, CancellationToken cancellationToken)
    {
        await db.FindThreadAsync(access, threadId, cancellationToken);
        var rows = db.Messages.AsNoTracking().Where(m => m.ThreadId == threadId && (m.Role == MessageRoles.User || m.Role == MessageRoles.Assistant));
        var page = await rows.OrderByDescending(m => m.Seq).Take(limit).ToListAsync(cancellationToken);
        page.Reverse();
        return JsonSerializer.SerializeToElement(new MessagePage(page.ConvertAll(m => MessageResponse.From(m)), await rows.LongCountAsync(cancellationToken)), WireJson.Responses);
    }
}
