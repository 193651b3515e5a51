using Flapjack.Server.Platform.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flapjack.Server.OpenAICompat;

internal static class ModelListEndpoints
{
    public static void Map(IEndpointRouteBuilder v1) =>
        v1.MapGet("/models", List).WithName("listOpenAIModels").Access(Scopes.ThreadsRead);

    /// <summary>Lists what can be named as <c>model</c>: the organisation's agents, and models where the server allows them.</summary>
    private static async Task<Ok<ModelList>> List(ModelTargets targets, CancellationToken cancellationToken) =>
        TypedResults.Ok(new ModelList(await targets.ListAsync(cancellationToken)));
}
