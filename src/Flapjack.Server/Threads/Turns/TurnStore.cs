using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Signals;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Attachments;
using Flapjack.Server.Threads.Compactions;
using Flapjack.Server.Threads.Recovery;
using Flapjack.Server.Threads.Streams;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Writes turns. Each method is one transaction and returns when it is on disk.</summary>
internal sealed class TurnStore(IWriter writer, OwnedWrites owned, TurnTraces traces, NodeName node, ServerSettings settings, TimeProvider time)
{
    /// <summary>Stores the user's message and the turn that answers it. Returns the message's sequence number; null when the thread is busy, archived or gone.</summary>
    public async Task<long?> OpenAsync(TurnPlan plan, Guid turnId, Message message, IdempotencyClaim? claim)
    {
        var unit = OpeningOf(plan, turnId, message);
        // In the same transaction: a crash cannot come between the message and the key that repeats it.
        if (claim is not null) unit = [.. unit, TurnSql.NoteIdempotentTurn(plan.Thread.Id, turnId, claim.Id)];
        var result = await writer.WriteAsync(unit);
        return result.Returned;
    }

    /// <summary>The statements that give a thread to a turn and store what starts it.</summary>
    public SqlStatement[] OpeningOf(TurnPlan plan, Guid turnId, Message message)
    {
        var (thread, now) = (plan.Thread, message.CreatedAt);
        var turn = new Turn
        {
            Id = turnId,
            OrgId = thread.OrgId,
            ThreadId = thread.Id,
            AgentId = plan.Agent.Id,
            Status = TurnStatuses.Running,
            Node = node.Value,
            LeaseUntil = default,
            CredentialId = plan.CredentialId,
            UserMessageId = message.Id,
            Request = plan.Options.ToText(),
            StartedAt = now,
        };
        return [
            TurnSql.Claim(turnId, thread.Id, thread.OrgId, now),
            TurnSql.InsertUser(message),
            TurnSql.InsertTurn(turn, settings.Turns.LeaseTime),
            .. plan.IsNested ? Array.Empty<SqlStatement>() : [TurnSql.InsertTrace(TurnTraces.Begin(plan, turnId, now))],
            .. MessageAttachments.Store(message)];
    }

    /// <summary>Stores a model step and the intents of its calls.</summary>
    public Task StepAsync(TurnRun run, TurnStep step)
    {
        var (thread, turn, now, speaker) = (run.Plan.Thread, run.Live.TurnId, time.Now(), run.Plan.Speaker);
        var unit = new List<SqlStatement>(step.Calls.Count + 2)
        {
            TurnSql.InsertMessage(new()
            {
                Id = Ids.New(),
                OrgId = thread.OrgId,
                ThreadId = thread.Id,
                TurnId = turn,
                Seq = ++run.LastSeq,
                Role = MessageRoles.Step,
                Content = step.Text,
                Reasoning = step.Reasoning,
                ToolCalls = StepCalls.ToText(step.Calls.Select(c => new MessageToolCall(c.Id, c.Name, c.Arguments))),
                SenderName = speaker.Name,
                SenderId = speaker.Id,
                CreatedAt = now,
            }),
        };
        foreach (var call in step.Calls)
        {
            unit.Add(TurnSql.InsertMessage(new()
            {
                Id = Ids.New(),
                OrgId = thread.OrgId,
                ThreadId = thread.Id,
                TurnId = turn,
                Seq = ++run.LastSeq,
                Role = MessageRoles.Tool,
                Content = "",
                ToolCallId = call.Id,
                ToolName = call.Name,
                Complete = false,
                SenderName = speaker.Name,
                SenderId = speaker.Id,
                CreatedAt = now,
            }));
        }
        if (step.Compaction is { } compaction) unit.AddRange(Compacted(run, compaction, run.LastSeq - step.Calls.Count, now));
        unit.Add(TurnSql.Advance(thread.Id, turn, run.LastSeq));
        // All text so far belongs to this step or an earlier one: whoever takes the turn up goes on behind it.
        unit.Add(TurnSql.Progress(turn, (TurnProgress.Of(run) with { TailStart = run.State.Text.Length }).ToText(), run.Record()));
        return WriteAsync(run, unit, null);
    }

    public Task ResultAsync(TurnRun run, TurnCallResult result) =>
        WriteAsync(run, [TurnSql.Result(run.Plan.Thread.Id, run.Live.TurnId, result.CallId, result.Content.Replace('\0', '\uFFFD'), result.IsError)], null);

    /// <summary>Notes how far the turn got, for whoever takes it up if this node dies. Whether it is written decides nothing, so nobody waits for it.</summary>
    /// <exception cref="TurnLostException">Another node has the turn now.</exception>
    public async Task CheckpointAsync(TurnRun run)
    {
        var result = await writer.WriteAsync([Guard(run.Owner), TurnSql.Progress(run.Live.TurnId, TurnProgress.Of(run).ToText(), run.Record())]);
        if (result.Refused) throw new TurnLostException();
    }

    /// <summary>Leaves the turn, as far as it got, to another node or to the next start of this one.</summary>
    public Task HandOverAsync(TurnRun run) => WriteAsync(run, [TurnSql.HandOver(run.Live.TurnId, TurnProgress.Of(run).ToText(), run.Record())], null);

    /// <summary>Stores the answer of an agent after which another one answers. Returns the answer's id; null when it said nothing.</summary>
    public async Task<Guid?> EndLegAsync(TurnRun run)
    {
        var (thread, turn, now) = (run.Plan.Thread.Id, run.Live.TurnId, time.Now());
        var answer = run.State.Text.Length > 0 ? Answer(run, stopped: false, error: null, now) : null;
        await WriteAsync(run, [
            .. answer is null ? Array.Empty<SqlStatement>() : [TurnSql.InsertMessage(answer), .. CompactedBy(run, answer)],
            .. traces.End(run, "running", null, stopped: false, now),
            TurnSql.NextLeg(thread, turn, run.Plan.Options.Addressed!.LegOf(run.Plan.Next!.Agent.Id)),
            TurnSql.Advance(thread, turn, run.LastSeq),
            TurnSql.Progress(turn, TurnProgress.OfNextLeg(run).ToText(), run.Record())], null);
        return answer?.Id;
    }

    /// <summary>Lets the turn wait for the client.</summary>
    public Task PauseAsync(TurnRun run, DateTime expiresAt, TerminalEvent terminal)
    {
        var (thread, turn, now) = (run.Plan.Thread.Id, run.Live.TurnId, time.Now());
        return WriteAsync(run, [
            .. traces.End(run, "running", null, stopped: false, now),
            TurnSql.EndTurn(thread, turn, TurnStatuses.Awaiting, null, null, null, TurnProgress.Of(run).ToText(), run.Record(terminal)),
            TurnSql.Pause(thread, turn, run.LastSeq, now, expiresAt)], TurnStatuses.Awaiting);
    }

    /// <summary>Ends the turn: stores the answer, if there is any, and frees the thread. Returns the answer's id.</summary>
    public async Task<Guid?> CloseAsync(TurnRun run, string status, string? finishReason, string? error, TerminalEvent? terminal)
    {
        var (thread, turn, now) = (run.Plan.Thread, run.Live.TurnId, time.Now());
        var stopped = status == TurnStatuses.Stopped;
        var unit = new List<SqlStatement>(8);
        Message? answer = run.State.Text.Length > 0 || error is not null ? Answer(run, stopped, error, now) : null;
        if (answer is not null) unit.AddRange([TurnSql.InsertMessage(answer), .. CompactedBy(run, answer)]);
        if (stopped || error is not null) unit.Add(TurnSql.CloseCalls(thread.Id, turn, """{"error":"CANCELLED"}"""));
        unit.AddRange(traces.End(run, error is null ? "ok" : "error", error, stopped, now));
        unit.Add(TurnSql.EndTurn(thread.Id, turn, status, finishReason, error, now, null, run.Record(terminal)));
        unit.Add(TurnSql.Release(thread.Id, turn, run.LastSeq, now));
        await WriteAsync(run, unit, status);
        return answer?.Id;
    }

    /// <summary>Stores the last missing results of a waiting turn and gives it its thread back. Returns the newest sequence number; null when somebody else was faster.</summary>
    public async Task<long?> ResumeAsync(Turn turn, IReadOnlyList<ToolAnswer> answers, Message? message, TurnProgress progress, TurnPlan plan)
    {
        var (now, step, request) = (time.Now(), progress.ToText(), plan.Options.ToText());
        var unit = new List<SqlStatement> { TurnSql.StepProgress(turn.ThreadId, turn.Id, step, request, turn.Progress!, null) };
        unit.AddRange(answers.Select(answer => TurnSql.Answer(turn.ThreadId, turn.Id, answer, step)));
        unit.Add(TurnSql.Resume(turn.ThreadId, turn.Id, message is null ? 0 : 1, now, step));
        if (message is not null) unit.AddRange([TurnSql.InsertUser(message), .. MessageAttachments.Store(message)]);
        unit.Add(TurnSql.RunAgain(turn.ThreadId, turn.Id, node.Value, settings.Turns.LeaseTime, request, plan.CredentialId));
        return (await writer.WriteAsync([.. unit])).Returned;
    }

    /// <summary>Stores some of the results a turn waits for, and a message that came with them. False when somebody else was faster.</summary>
    public async Task<bool> KeepWaitingAsync(Turn turn, IReadOnlyList<ToolAnswer> answers, Message? message, TurnProgress progress, TurnOptions options, byte[]? events)
    {
        var step = progress.ToText();
        var unit = new List<SqlStatement> { TurnSql.StepProgress(turn.ThreadId, turn.Id, step, options.ToText(), turn.Progress!, events) };
        unit.AddRange(answers.Select(answer => TurnSql.Answer(turn.ThreadId, turn.Id, answer, step)));
        if (message is not null)
        {
            unit.Add(TurnSql.AppendWaiting(turn.ThreadId, turn.Id, time.Now(), step));
            unit.Add(TurnSql.InsertWaitingUser(message, step));
            unit.AddRange(MessageAttachments.Store(message));
        }
        return (await writer.WriteAsync([.. unit])).Affected[0] == 1;
    }

    /// <summary>Takes a thread from the client it waits for, to end the turn. Returns the newest sequence number; null when the turn does not wait any more.</summary>
    public async Task<long?> TakePendingAsync(Guid thread, Guid turn)
    {
        var now = time.Now();
        return (await writer.WriteAsync([TurnSql.LockWaiting(turn), TurnSql.TakePending(thread, turn, now), TurnSql.RunToEnd(thread, turn, node.Value, settings.Turns.LeaseTime)])).Returned;
    }

    private static Message Answer(TurnRun run, bool stopped, string? error, DateTime now) => new()
    {
        Id = Ids.New(),
        OrgId = run.Plan.Thread.OrgId,
        ThreadId = run.Plan.Thread.Id,
        TurnId = run.Live.TurnId,
        Seq = ++run.LastSeq,
        Role = MessageRoles.Assistant,
        Content = run.State.Text.ToString(),
        TailStart = run.State.TailStart,
        Reasoning = SignedReasoning.ToText([], run.State.TailCompaction),
        Stopped = stopped,
        Error = error,
        Model = run.State.AnsweredBy ?? run.State.ModelId,
        SenderName = run.Plan.Speaker.Name,
        SenderId = run.Plan.Speaker.Id,
        InputTokens = run.State.Usage.InputTokens,
        OutputTokens = run.State.Usage.OutputTokens,
        CacheReadTokens = run.State.Usage.CacheReadTokens,
        CacheWriteTokens = run.State.Usage.CacheWriteTokens,
        CostUsd = (double?)run.State.CostUsd,
        CreatedAt = now,
    };

    /// <summary>Stores a summary that later turns read instead of what it summarises.</summary>
    public async Task CompactAsync(TurnRun run, Compaction compaction)
    {
        await WriteAsync(run, CompactionSql.Store(compaction), null);
        run.Plan.Thread.CompactedSeq = compaction.Seq;
    }

    private static SqlStatement[] CompactedBy(TurnRun run, Message answer) => run.State.TailCompaction is { } compaction ? Compacted(run, compaction, answer.Seq, answer.CreatedAt) : [];

    // The summary itself stands in the message at this place, as its provider wants it back.
    private static SqlStatement[] Compacted(TurnRun run, CompactionContent compaction, long seq, DateTime now) => CompactionSql.Store(new()
    {
        OrgId = run.Plan.Thread.OrgId,
        ThreadId = run.Plan.Thread.Id,
        AgentId = run.Plan.Agent.Id,
        Seq = seq,
        ThroughSeq = seq - 1,
        BeforeTokens = compaction.BeforeTokens,
        AfterTokens = compaction.AfterTokens,
        TurnId = run.Live.TurnId,
        CreatedAt = now,
    });

    private async Task WriteAsync(TurnRun run, IEnumerable<SqlStatement> unit, string? becomes)
    {
        // A checkpoint that is still on its way must not overwrite what comes now.
        await run.Checkpointed;
        await owned.WriteAsync(run.Owner, unit, becomes);
    }

    private static SqlStatement Guard(TurnOwner owner) => TurnSql.Guard(owner.Thread, owner.Turn, owner.Fence);
}
