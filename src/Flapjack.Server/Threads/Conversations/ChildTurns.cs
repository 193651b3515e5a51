using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Tools;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Conversations;

/// <summary>What one agent asks of another.</summary>
/// <param name="AgentId">Who shall do it.</param>
/// <param name="Content">The message it is given.</param>
/// <param name="Caller">The turn that asks.</param>
/// <param name="Chain">How the new turn came to be.</param>
/// <param name="SharedMessages">How many of the asking thread's last messages it is shown.</param>
internal sealed record ChildTask(Guid AgentId, string Content, ToolCaller Caller, DelegationChain Chain, int SharedMessages);

/// <summary>What became of it.</summary>
/// <param name="Content">The text; of a turn that failed what there was of it.</param>
/// <param name="Error">Code of the error it ended with; null when it ended well.</param>
/// <param name="Challenge">What the user has to authorise first.</param>
/// <param name="Usage">Tokens of the whole turn.</param>
/// <param name="CostUsd">Its cost.</param>
/// <param name="Spans">Its spans, under the call.</param>
internal sealed record ChildAnswer(string Content, string? Error, AuthChallenge? Challenge, ModelUsage Usage, decimal? CostUsd, IReadOnlyList<TurnSpan> Spans);

/// <summary>Runs a turn of another agent inside a tool call: in a hidden thread, through the same planner, store and host as every turn. Its events are nobody's stream.</summary>
/// <remarks>The turn ends when its reader leaves, so a node that dies or a call that is given up leaves none running: recovery ends such turns instead of resuming them.</remarks>
internal sealed class ChildTurns(IServiceScopeFactory scopes, TurnStore store, TurnHost host, Databases databases, DetachedRemoval removals, TimeProvider time)
{
    /// <summary>Runs the turn to its end; a cancellation stops it and then waits for that end, so that what it used can be booked.</summary>
    /// <param name="task">What is asked.</param>
    /// <param name="call">Span of the call.</param>
    /// <param name="cancellationToken">Of the call.</param>
    /// <exception cref="ApiException">The turn cannot begin: the agent is gone, or its model is unknown.</exception>
    public async Task<ChildAnswer> RunAsync(ChildTask task, Guid call, CancellationToken cancellationToken)
    {
        var run = await BeginAsync(task, cancellationToken);
        try
        {
            await using var stopping = cancellationToken.UnsafeRegister(static state => ((TurnRun)state!).Stop(), run);
            await run.Live.Ended;
        }
        finally
        {
            run.Live.RemoveReader();
        }
        return AnswerOf(run, call);
    }

    private async Task<TurnRun> BeginAsync(ChildTask task, CancellationToken cancellationToken)
    {
        var caller = task.Caller;
        await using var scope = scopes.CreateAsyncScope();
        var access = scope.ServiceProvider.GetRequiredService<CallerContext>();
        // No credential of its own: the asking turn ends with its credential, and this one with it.
        access.Resume(caller.OrgId, caller.UserId, Guid.Empty);
        var draft = new ThreadDraft(null, ThreadKinds.Single, null, null, caller.Bindings, caller.UserId, "{}")
        {
            HiddenFor = ExpiredThreads.Lifetime,
            Parent = caller.ThreadId,
            Past = await SharedAsync(task, cancellationToken),
        };
        var thread = await scope.ServiceProvider.GetRequiredService<ThreadOpening>().OpenAsync(draft, task.AgentId, access, cancellationToken) ?? throw ApiException.NotFound("Agent");
        try
        {
            var found = await scope.ServiceProvider.GetRequiredService<IReader>().ReadAsync(ThreadSql.Find(thread.Id, thread.OrgId), ThreadSql.Map, cancellationToken) ?? throw ApiException.NotFound("Agent");
            var options = new TurnOptions { Delegation = task.Chain };
            var plan = await scope.ServiceProvider.GetRequiredService<TurnPlanner>().PlanAsync(found.Thread, found.Agent, options, null, cancellationToken);
            return await StartAsync(plan, task.Content);
        }
        catch
        {
            await removals.TryRemoveAsync(thread.Id, thread.OrgId);
            throw;
        }
    }

    private async Task<TurnRun> StartAsync(TurnPlan plan, string content)
    {
        var live = new LiveTurn(Ids.New(), plan.Thread.OrgId, plan.Thread.Id);
        var message = new Message
        {
            Id = Ids.New(),
            OrgId = plan.Thread.OrgId,
            ThreadId = plan.Thread.Id,
            TurnId = live.TurnId,
            Seq = 0,
            Role = MessageRoles.User,
            Content = content,
            CreatedAt = time.Now(),
        };
        // Not cancelled half way: what is stored as running must run.
        var seq = await store.OpenAsync(plan, live.TurnId, message, null) ?? throw ApiException.NotFound("Agent");
        return host.Start(plan, live, new(message.CreatedAt, message.Content, message.Id, message, seq, 1, null));
    }

    private async Task<IReadOnlyList<PastMessage>> SharedAsync(ChildTask task, CancellationToken cancellationToken)
    {
        if (task.SharedMessages == 0 || task.Caller.ThreadId is not { } thread) return [];
        await using var db = databases.Open(task.Caller.OrgId);
        var rows = await db.Messages.AsNoTracking().Where(m => m.ThreadId == thread && (m.Role == MessageRoles.User || m.Role == MessageRoles.Assistant) && m.Content != "")
            .OrderByDescending(m => m.Seq).Take(task.SharedMessages).Select(m => new { m.Role, m.Content, m.SenderName }).ToListAsync(cancellationToken);
        rows.Reverse();
        return rows.ConvertAll(row => new PastMessage(row.Role, row.Content) { SenderName = row.SenderName });
    }

    private static ChildAnswer AnswerOf(TurnRun run, Guid call)
    {
        AuthChallenge? challenge = null;
        // A log without a last event: another node took the turn over, and ended it.
        string? error = "INTERNAL_ERROR";
        foreach (var (type, data) in run.Live.Events())
        {
            if (type is not ("auth_challenge" or "done" or "error")) continue;
            var json = JsonElement.Parse(data.Span);
            if (type == "auth_challenge") challenge ??= ChallengeOf(json.GetProperty("challenge"));
            else error = type == "error" ? json.GetProperty("code").GetString() : json.TryGetProperty("stopped", out _) ? "stopped" : null;
        }
        return new(run.Text, error, challenge, run.Usage, run.CostUsd, [.. run.SpansUnder(call)]);
    }

    private static AuthChallenge ChallengeOf(JsonElement json) => new(
        json.GetProperty("provider").GetString()!, json.GetProperty("redirectUrl").GetString()!, json.TryGetProperty("description", out var text) ? text.GetString() : null);
}
