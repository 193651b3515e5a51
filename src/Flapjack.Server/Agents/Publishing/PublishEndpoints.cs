using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents.Publishing;

internal static class PublishEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var publish = app.MapGroup("/api/agents/{agentId:guid}/publish").WithTags("agents");
        publish.MapGet("", List).WithName("listAgentPublications").From("ext").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(Array.Empty<PublicationResponse>()));
        publish.MapPost("", Publish).WithName("publishAgent").From("doc").Access(Scopes.AgentsWrite, Role.Member);
        publish.MapDelete("", Unpublish).WithName("unpublishAgent").From("doc").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Lists the publications of an agent, newest first, ended ones included.</summary>
    private static async Task<Ok<List<PublicationResponse>>> List(Guid agentId, HttpContext http, FlapjackDb db, ServerSettings settings, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var rows = await db.Publications.AsNoTracking().Where(p => p.AgentId == agentId).OrderByDescending(p => p.CreatedAt).ThenByDescending(p => p.Id).ToPageAsync(http, cancellationToken);
        var address = PublicAddress.Of(http.Request, settings);
        return TypedResults.Ok(rows.ConvertAll(row => PublicationResponse.From(row, agent, address)));
    }

    /// <summary>Publishes an agent under a new slug, or changes and renews the publication of a slug it has.</summary>
    private static async Task<Results<Created<PublicationResponse>, Ok<PublicationResponse>>> Publish(Guid agentId, JsonBody<PublishRequest> body, HttpRequest request, FlapjackDb db, TimeProvider time, ServerSettings settings, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var slug = body.Value.CheckedSlug();
        body.Value.Check();
        // Slugs are those of the whole server.
        var known = await db.Publications.IgnoreQueryFilters().FirstOrDefaultAsync(p => p.Slug == slug, cancellationToken);
        if (known is not null && (known.AgentId != agentId || known.OrgId != agent.OrgId)) throw SlugTaken();
        var now = time.Now();
        var publication = known ?? new Publication { Id = Ids.New(), OrgId = agent.OrgId, AgentId = agentId, Slug = slug, CreatedAt = now, UpdatedAt = now };
        body.Value.ApplyTo(publication);
        publication.UpdatedAt = now;
        if (known is null) db.Publications.Add(publication);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException fault) when (known is null && DatabaseFaults.IsConflict(fault))
        {
            throw SlugTaken();
        }
        var answer = PublicationResponse.From(publication, agent, PublicAddress.Of(request, settings));
        return known is null ? TypedResults.Created(answer.Url, answer) : TypedResults.Ok(answer);
    }

    /// <summary>Ends one publication of an agent, or all. Their slugs stay the agent's.</summary>
    private static async Task<Ok<Deleted>> Unpublish(Guid agentId, JsonBody<UnpublishRequest> body, HttpRequest request, FlapjackDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var slug = body.Value.Slug.Value ?? new Query(request).Text("slug");
        var active = db.Publications.Where(p => p.AgentId == agentId && p.IsActive);
        if (!string.IsNullOrEmpty(slug)) active = active.Where(p => p.Slug == slug);
        var now = time.Now();
        var ended = await active.ExecuteUpdateAsync(set => set.SetProperty(p => p.IsActive, false).SetProperty(p => p.UpdatedAt, now), cancellationToken);
        return ended > 0 ? TypedResults.Ok(Deleted.Ok) : throw ApiException.NotFound("Publication");
    }

    private static ApiException SlugTaken() => ApiException.Conflict("the slug belongs to another agent");
}
