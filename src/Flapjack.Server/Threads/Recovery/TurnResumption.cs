using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Lifetime;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Multiplayer;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads.Recovery;

/// <summary>Goes on with a turn that was taken over: behind its last finished step, without making a call again whose outcome is not known, unless its tool is idempotent.</summary>
internal sealed partial class TurnResumption(IServiceScopeFactory scopes, TurnHost host, Draining draining, ILogger<TurnResumption> logger)
{
    /// <summary>The stream that died may have sent more than was written down; its numbers must not come again. No stream gets this far between two checkpoints.</summary>
    private const long SequenceGap = 1_000_000;

    /// <summary>False when the turn cannot go on; it should be ended then.</summary>
    public async Task<bool> TryAsync(FlapjackDb db, Turn turn, TurnOwner owner, CancellationToken cancellationToken)
    {
        if (draining.IsDraining) return false;
        var thread = await db.Threads.AsNoTracking().FirstOrDefaultAsync(t => t.Id == turn.ThreadId, cancellationToken);
        var agent = await db.Agents.AsNoTracking().FirstOrDefaultAsync(a => a.Id == turn.AgentId, cancellationToken);
        if (thread is not { Status: "active" } || agent is not { DeletedAt: null }) return false;
        var userId = await db.Traces.Where(t => t.Id == turn.Id).Select(t => t.UserId).FirstOrDefaultAsync(cancellationToken);
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            scope.ServiceProvider.GetRequiredService<CallerContext>().Resume(turn.OrgId, userId, turn.CredentialId ?? Guid.Empty);
            var options = TurnOptions.Parse(turn.Request);
            var plan = await scope.ServiceProvider.GetRequiredService<TurnAddressing>().PlanRestAsync(thread, agent, turn, options, cancellationToken);
            var rows = await db.Messages.AsNoTracking().Where(m => m.ThreadId == thread.Id && m.TurnId == turn.Id).OrderBy(m => m.Seq).ToListAsync(cancellationToken);
            Start(turn, owner, plan, rows);
            return true;
        }
        catch (ApiException refusal)
        {
            LogRefused(logger, refusal, turn.Id);
            return false;
        }
    }

    private void Start(Turn turn, TurnOwner owner, TurnPlan plan, List<Message> rows)
    {
        var progress = turn.Progress is null ? null : BehindLastStep(TurnProgress.Parse(turn.Progress));
        var earlier = StreamRecord.Finished(turn.Events);
        var step = Unfinished(rows, plan.Options);
        var stream = new LiveTurn(turn.Id, turn.OrgId, turn.ThreadId, ((progress?.NextSequence ?? 1) / SequenceGap + 1) * SequenceGap + 1);
        var first = rows.Find(m => m.Role == MessageRoles.User);
        host.Start(plan, stream, new(turn.StartedAt, first?.Content, turn.UserMessageId, null, plan.Thread.LastSeq, 0, progress)
        {
            Fence = owner.Fence,
            Earlier = earlier,
            // Whoever listens from here on gets all the text of the turn, as from its first stream.
            Said = progress is null ? null : FinishedLegs.Join(plan.Finished.Text, progress.Text)[StreamRecord.TextLength(earlier)..],
            Interrupted = step?.Step,
            HistorySeq = step is { } at ? at.Seq - 1 : null,
        });
    }

    // What was said behind the last step is said anew.
    private static TurnProgress BehindLastStep(TurnProgress progress) => progress with { Text = progress.Text[..progress.TailStart] };

    private static (InterruptedStep Step, long Seq)? Unfinished(List<Message> rows, TurnOptions options)
    {
        if (rows.FindLast(m => m.Role == MessageRoles.Step) is not { } last) return null;
        var results = rows.FindAll(m => m.Role == MessageRoles.Tool && m.Seq > last.Seq);
        if (results.TrueForAll(m => m.Complete)) return null;
        var calls = StepCalls.Parse(last.ToolCalls).Select(call => new TurnCall(call.Id, call.Name, call.Arguments, options.Tools.Any(tool => tool.Name == call.Name)));
        var known = results.Where(m => m.Complete).Select(m => new TurnCallResult(m.ToolCallId!, m.Content, m.IsError));
        return (new(new(last.Content, last.Reasoning, [.. calls]), [.. known]), last.Seq);
    }

    [LoggerMessage(1, LogLevel.Warning, "Turn {Turn} cannot go on")]
    private static partial void LogRefused(ILogger logger, Exception refusal, Guid turn);
}
