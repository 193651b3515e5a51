using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents.Suggestions;

internal static class SuggestionEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var suggestions = app.MapGroup("/api/agents/{agentId:guid}/suggestions").WithTags("agents").From("doc");
        suggestions.MapGet("", List).WithName("listSuggestions").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(Array.Empty<SuggestionResponse>()));
        suggestions.MapPost("", Create).WithName("createSuggestions").Access(Scopes.AgentsWrite, Role.Member);
        suggestions.MapPut("", Change).WithName("dismissSuggestion").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Lists the suggestions for an agent, newest first; with <c>includeDismissed</c> those too that somebody has dealt with.</summary>
    private static async Task<Ok<List<SuggestionResponse>>> List(Guid agentId, HttpContext http, FlapjackDb db, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var all = new Query(http.Request).Flag("includeDismissed", new Query(http.Request).Flag("include_dismissed", false));
        var rows = db.Suggestions.AsNoTracking().Where(s => s.AgentId == agentId && (all || !s.Dismissed));
        var page = await rows.OrderByDescending(s => s.CreatedAt).ThenByDescending(s => s.Id).ToPageAsync(http, cancellationToken);
        return TypedResults.Ok(page.ConvertAll(SuggestionResponse.From));
    }

    /// <summary>Stores a suggestion; without a title, a model reviews the agent and what it suggests is stored. 409 when the agent's model cannot review, 502 when it fails.</summary>
    private static async Task<Created<List<SuggestionResponse>>> Create(Guid agentId, JsonBody<SuggestionRequest> body, ClientConnection client, FlapjackDb db, RequestLimits limits, AgentReview review, SuggestionStore store, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var request = body.Value;
        request.Check();
        if (request.Title.Value is null)
        {
            // A review calls a model, as a message does.
            client.CountMessage(limits, agent.OrgId);
            return Answer(await review.RunAsync(agent, request.Focus.Value, request.Most, cancellationToken));
        }
        return Answer(await store.AddAsync(agent, Suggestion.Api, [request.ToProposal()], null, cancellationToken));
    }

    /// <summary>Dismisses a suggestion, or takes it up again.</summary>
    private static async Task<Ok<SuggestionResponse>> Change(Guid agentId, JsonBody<SuggestionChangeRequest> body, FlapjackDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var errors = new FieldErrors();
        var id = errors.Id("suggestionId", body.Value.SuggestionId.Value, required: true);
        errors.ThrowIfAny();
        var suggestion = await db.Suggestions.FirstOrDefaultAsync(s => s.Id == id && s.AgentId == agentId, cancellationToken) ?? throw ApiException.NotFound("Suggestion");
        var dismissed = body.Value.Dismissed.Value ?? true;
        if (suggestion.Dismissed != dismissed) (suggestion.Dismissed, suggestion.DismissedAt) = (dismissed, dismissed ? time.Now() : null);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateConcurrencyException)
        {
            // It went with its agent this very moment, or made room for another.
            throw ApiException.NotFound("Suggestion");
        }
        return TypedResults.Ok(SuggestionResponse.From(suggestion));
    }

    private static Created<List<SuggestionResponse>> Answer(List<Suggestion> rows) => TypedResults.Created((string?)null, rows.ConvertAll(SuggestionResponse.From));
}
