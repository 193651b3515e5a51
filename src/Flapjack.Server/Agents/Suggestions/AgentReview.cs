using System.Collections.Concurrent;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Logs;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Agents.Suggestions;

/// <summary>Lets a model review an agent and stores what it suggests, all of it or nothing. What the call cost stands in a trace, however it ended.</summary>
internal sealed class AgentReview(ReviewMaterial material, ReviewCall call, SuggestionStore store, CallTraces traces, RunningReviews running, CallerContext access)
{
    private const string TraceName = "agent-review";

    /// <summary>409 when the agent's model cannot review or a review is under way, 502 when the model fails.</summary>
    public async Task<List<Suggestion>> RunAsync(Agent agent, string? focus, int most, CancellationToken cancellationToken)
    {
        var model = await call.ModelOfAsync(agent, cancellationToken);
        using var place = running.Enter(agent.Id);
        var order = new ReviewOrder(agent, access.UserId, await material.ReadAsync(agent, cancellationToken), focus, most);
        var span = call.Begin(model);
        var isStored = false;
        try
        {
            var proposals = ProposalReading.Read(await call.AskAsync(order, model, span, cancellationToken), order.Material.KnownTitles, most);
            var rows = await store.AddAsync(agent, Suggestion.Model, proposals, Trace(order, span).AddTo, cancellationToken);
            isStored = true;
            return rows;
        }
        catch (ModelException fault)
        {
            span.Error = fault.Code;
            throw new ApiException(502, "UPSTREAM_ERROR", $"the review failed, nothing was stored: {fault.Message} ({fault.Code})");
        }
        catch (OperationCanceledException)
        {
            span.Error = "CANCELLED";
            throw;
        }
        finally
        {
            if (!isStored) await traces.RecordAsync(Trace(order, span));
        }
    }

    private static CallTrace Trace(ReviewOrder order, TurnSpan span) => new(order.Agent.OrgId, order.Agent.Id, TraceName, order.UserId, span);
}

/// <summary>Counts the reviews that run on this node: one of an agent, and a few at once.</summary>
internal sealed class RunningReviews
{
    private const int MostAtOnce = 8;
    private readonly ConcurrentDictionary<Guid, byte> _agents = new();

    /// <summary>Takes a place until it is disposed of. 409 when the agent is being reviewed, 429 when too many others are.</summary>
    public IDisposable Enter(Guid agentId)
    {
        if (_agents.Count >= MostAtOnce) throw new ApiException(429, "RATE_LIMITED", "too many agents are being reviewed, try again") { RetryAfter = TimeSpan.FromSeconds(10) };
        return _agents.TryAdd(agentId, 0) ? new Place(_agents, agentId) : throw ApiException.Conflict("the agent is being reviewed already");
    }

    private sealed class Place(ConcurrentDictionary<Guid, byte> agents, Guid agentId) : IDisposable
    {
        public void Dispose() => agents.TryRemove(agentId, out _);
    }
}
