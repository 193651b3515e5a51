using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Knowledge.Turns;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Knowledge.Search;

internal static class SearchEndpoints
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapPost("/api/knowledge/search", Search).WithName("searchKnowledge").WithTags("knowledge").From("ext").Access(Scopes.KnowledgeRead);

    /// <summary>Finds pieces of documents by words, by meaning, or by both.</summary>
    private static async Task<Ok<KnowledgeSearchResponse>> Search(JsonBody<KnowledgeSearchRequest> body, KnowledgeAnswers answers, CancellationToken cancellationToken) =>
        TypedResults.Ok(await answers.FindAsync(body.Value, cancellationToken));

    /// <summary>Adds a fault for a mode that is none, or cannot be had.</summary>
    public static void CheckMode(FieldErrors errors, string? mode, EmbeddingModels models)
    {
        errors.OneOf("mode", mode, SearchModes.Auto, SearchModes.Lexical, SearchModes.Vector, SearchModes.Hybrid);
        if (mode is not null && SearchModes.NeedsVectors(mode) && !models.IsConfigured) errors.Add("mode", "needs an embedding model; set Knowledge:EmbeddingModel");
    }
}

/// <summary>What a search names.</summary>
internal readonly record struct SearchTarget(Guid? AgentId, Guid? ThreadId, ScopeRef? Scope);

/// <summary>Finds the scopes behind what a search names; 404 for what the caller does not see.</summary>
internal sealed class SearchTargets(FlapjackDb db, ScopeAccess scopes, AgentConfigs configs, CallerContext access)
{
    public static SearchTarget Read(FieldErrors errors, KnowledgeSearchRequest request)
    {
        var (agent, thread) = (errors.Id("agentId", request.AgentId.Value), errors.Id("threadId", request.ThreadId.Value));
        if (request.ScopeType.Value is null && request.ScopeId.Value is null)
        {
            if (request.AgentId.Value is null && request.ThreadId.Value is null) errors.Add("agentId", "is required, or threadId, or scopeType and scopeId");
            return new(agent, thread, null);
        }
        if (request.AgentId.Value is not null || request.ThreadId.Value is not null) errors.Add("scopeType", "cannot be sent together with agentId or threadId");
        return new(null, null, ScopeAccess.Read(errors, request.ScopeType.Value, request.ScopeId.Value));
    }

    public async Task<IReadOnlyList<Guid>> ScopesAsync(SearchTarget target, CancellationToken cancellationToken)
    {
        if (target.Scope is { } scope)
        {
            await scopes.RequireAsync(scope, cancellationToken);
            return [scope.Id];
        }
        if (target.ThreadId is { } thread) await scopes.RequireAsync(new(ScopeTypes.Thread, thread), cancellationToken);
        if (target.AgentId is { } named) await scopes.RequireAsync(new(ScopeTypes.Agent, named), cancellationToken);
        var agent = target.AgentId ?? await db.AgentIdOf(target.ThreadId!.Value).FirstAsync(cancellationToken);
        var config = (await configs.ReadAsync<KnowledgeConfig>(access.OrgId, agent, cancellationToken)).Value;
        return [.. config.IncludeOrg ? [access.OrgId] : (Guid[])[], agent, .. target.ThreadId is { } id ? [id] : (Guid[])[]];
    }
}
