using Flapjack.Providers;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flapjack.Server.Models;

internal static class ModelEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var models = app.MapGroup("/api/models").WithTags("models").From("ext");
        models.MapGet("", List).WithName("listModels").Access(null).Demo(Demo);
    }

    /// <summary>Lists the models agents can use: the catalog, then the configured ones by id.</summary>
    private static async Task<Ok<List<ModelResponse>>> List(HttpContext http, ModelDirectory models, CancellationToken cancellationToken) =>
        TypedResults.Ok(Page(http, await models.ListAsync(cancellationToken), await models.DefaultModelAsync(cancellationToken)));

    // The demo world has the catalog and no credentials.
    private static Ok<List<ModelResponse>> Demo(HttpContext http) =>
        TypedResults.Ok(Page(http, new OrgModels(new Dictionary<string, ProviderAccess>()).List(), ModelCatalog.OfflineId));

    private static List<ModelResponse> Page(HttpContext http, IEnumerable<ListedModel> models, string defaultModel)
    {
        var query = new Query(http.Request);
        var (limit, offset) = (query.Integer("limit", 1_000, 1, 1_000), query.Integer("offset", 0, 0, int.MaxValue));
        var availableOnly = query.Flag("available", false);
        var all = models.Select(m => ModelResponse.From(m, defaultModel)).Where(m => m.Available || !availableOnly).ToList();
        http.Response.Headers["X-Total-Count"] = all.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return [.. all.Skip(offset).Take(limit)];
    }
}
