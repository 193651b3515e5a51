using Flapjack.Server.Agents;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Channels;

internal static class ContactEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var contacts = app.MapGroup("/api/agents/{agentId:guid}/channels/{channelId:guid}/contacts").WithTags("channels");
        contacts.MapGet("", List).WithName("listChannelContacts").From("doc").Access(Scopes.AgentsRead).Demo(DemoWorld.NotFound);
        contacts.MapPatch("/{contactId:guid}", Update).WithName("updateChannelContact").From("ext").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Lists who wrote to a channel, last seen first. <c>q</c> looks in names and external ids.</summary>
    private static async Task<Ok<List<ContactResponse>>> List(Guid agentId, Guid channelId, HttpContext http, FlapjackDb db, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var channel = await db.Channels.AsNoTracking().FindChannelAsync(agentId, channelId, cancellationToken);
        var contacts = db.ChannelContacts.AsNoTracking().Where(c => c.ChannelId == channel.Id).Search(new Query(http.Request).Text("q"));
        return TypedResults.Ok((await contacts.OrderByDescending(c => c.LastSeenAt).ThenByDescending(c => c.Id).ToPageAsync(http, cancellationToken)).ConvertAll(ContactResponse.From));
    }

    /// <summary>Names a contact, or blocks one: blocked contacts are ignored from the next message on.</summary>
    private static async Task<Ok<ContactResponse>> Update(Guid agentId, Guid channelId, Guid contactId, JsonBody<ContactRequest> body, FlapjackDb db, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var channel = await db.Channels.AsNoTracking().FindChannelAsync(agentId, channelId, cancellationToken);
        var row = await db.ChannelContacts.FirstOrDefaultAsync(c => c.Id == contactId && c.ChannelId == channel.Id, cancellationToken) ?? throw ApiException.NotFound("Contact");
        var errors = new FieldErrors();
        errors.Text("displayName", body.Value.DisplayName.Value, ChannelContact.MaxName, min: 1);
        errors.ThrowIfAny();
        if (body.Value.Blocked.IsSet) row.Blocked = body.Value.Blocked.Value ?? false;
        if (body.Value.DisplayName.IsSet) row.DisplayName = body.Value.DisplayName.Value?.Trim();
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Ok(ContactResponse.From(row));
    }
}
