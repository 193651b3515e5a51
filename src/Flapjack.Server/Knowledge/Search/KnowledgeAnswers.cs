using System.Text.Json;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Knowledge.Search;

/// <summary>Answers searches of a caller, whichever door they come through.</summary>
internal sealed class KnowledgeAnswers(SearchTargets targets, EmbeddingModels models, KnowledgeSearch search, CallerContext access)
{
    private const int MaxQuery = 8_000;

    public async Task<KnowledgeSearchResponse> FindAsync(KnowledgeSearchRequest request, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        errors.Required("query", request.Query.Value, MaxQuery);
        errors.Range("limit", request.Limit.Value, 1, 50);
        errors.Range("minScore", request.MinScore.Value, 0, 1);
        SearchEndpoints.CheckMode(errors, request.Mode.Value, models);
        errors.Object("filter", request.Filter.Value, FieldRules.MetadataBytes);
        var target = SearchTargets.Read(errors, request);
        errors.ThrowIfAny();
        var answer = await search.FindAsync(new(access.OrgId, await targets.ScopesAsync(target, cancellationToken), request.Query.Value!)
        {
            Limit = request.Limit.Value ?? 6,
            Mode = request.Mode.Value ?? SearchModes.Auto,
            MinScore = request.MinScore.Value ?? 0,
            Filter = request.Filter.Value is { ValueKind: JsonValueKind.Object } filter ? filter : null,
        }, cancellationToken);
        return new KnowledgeSearchResponse(answer.Mode, [.. answer.Chunks.Select(KnowledgeSearchResult.From)]);
    }

    /// <summary>The same in the form of the REST endpoint: its request body, its answer.</summary>
    public async Task<JsonElement> FindAsync(JsonElement request, CancellationToken cancellationToken)
    {
        KnowledgeSearchRequest read;
        try
        {
            read = request.Deserialize<KnowledgeSearchRequest>(WireJson.Requests)!;
        }
        catch (JsonException fault)
        {
            throw ApiException.BadRequest($"cannot be read at {fault.Path}");
        }
        return JsonSerializer.SerializeToElement(await FindAsync(read, cancellationToken), WireJson.Responses);
    }
}
