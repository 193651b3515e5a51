using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Mcp.Registry;

internal static class RegistryEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var registry = app.MapGroup("/api/mcp-registry").WithTags("mcp").From("doc");
        registry.MapGet("/search", Search).WithName("searchMcpRegistry").Access(Scopes.McpRead).Demo(_ => TypedResults.Ok(new RegistryPage([], null)));
        registry.MapGet("/managed", Managed).WithName("listManagedMcps").Access(Scopes.McpRead).Demo(_ => TypedResults.Ok(Array.Empty<ManagedProviderResponse>()));
    }

    /// <summary>Searches the registry of MCP servers. Answers are remembered for an hour.</summary>
    private static async Task<Ok<RegistryPage>> Search(HttpRequest request, FlapjackDb db, RegistrySearch search, CancellationToken cancellationToken)
    {
        var query = new Query(request);
        var (text, cursor) = (query.Text("q") ?? "", query.Text("cursor"));
        if (text.Length > 200) throw ApiException.Invalid("q", "has more than 200 characters");
        if (cursor?.Length > 500) throw ApiException.Invalid("cursor", "is not a cursor of this list");
        var page = await search.FindAsync(text, query.Integer("limit", 20, 1, 100), cursor, cancellationToken);
        var urls = page.Servers.SelectMany(server => server.Remotes).Select(remote => remote.Url).ToList();
        var installed = await db.McpServers.AsNoTracking().Where(s => s.Url != null && urls.Contains(s.Url)).OrderBy(s => s.CreatedAt).Select(s => new { s.Id, s.Url }).ToListAsync(cancellationToken);
        return TypedResults.Ok(page with { Servers = [.. page.Servers.Select(server => server with { InstalledId = installed.FirstOrDefault(own => server.Remotes.Any(remote => remote.Url == own.Url))?.Id })] });
    }

    /// <summary>Lists well-known servers that can be connected with <c>managedProvider</c>.</summary>
    private static async Task<Ok<List<ManagedProviderResponse>>> Managed(HttpContext http, FlapjackDb db, ManagedProviders managed, CancellationToken cancellationToken)
    {
        var installed = await db.McpServers.AsNoTracking().Where(s => s.ManagedProvider != null).OrderBy(s => s.CreatedAt).Select(s => new { s.Id, s.ManagedProvider }).ToListAsync(cancellationToken);
        return TypedResults.Ok(managed.All.ToPage(http).ConvertAll(provider => ManagedProviderResponse.From(provider, installed.FirstOrDefault(own => own.ManagedProvider == provider.Id)?.Id)));
    }
}
