using System.Collections.Concurrent;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Platform;
using Flapjack.Server.Threads.Multiplayer;
using Flapjack.Server.Threads.Recovery;
using Flapjack.Server.Threads.Streams;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Runs turns as background tasks of this node. A turn belongs to nobody's request: whoever started it is only its first reader.</summary>
internal sealed partial class TurnHost(
    TurnStore store, LiveTurns live, TurnHistory history, Databases databases, ModelClients models, TurnHostContext context)
{
    private readonly ConcurrentDictionary<Guid, TurnRun> _running = new();
    private readonly TurnLoop _loop = new(context.Time);

    public IEnumerable<TurnRun> Running => _running.Values;

    /// <summary>Forgets streams that ended too long ago to be replayed.</summary>
    public void Trim() => live.Trim();

    /// <summary>The stream a turn runs in now, on this node.</summary>
    public TurnRun? Find(Guid turnId) => _running.GetValueOrDefault(turnId);

    /// <summary>Starts a stream of a turn that owns its thread. Events follow in <paramref name="stream"/>, <c>meta</c> at once.</summary>
    public TurnRun Start(TurnPlan plan, LiveTurn stream, TurnStart start)
    {
        // Ownership passes to RunAsync, which disposes it.
        var cancellation = new CancellationTokenSource(context.Settings.Turns.Timeout, context.Time);
        var run = new TurnRun(plan, stream, store, start.StartedAt, cancellation)
        {
            Input = start.Progress is null ? start.Content : start.Progress.Input,
            UserMessageId = start.UserMessageId,
            RootSpanId = start.Progress?.RootSpanId ?? Ids.New(),
            LastSeq = start.LastSeq,
            Fence = start.Fence,
            Earlier = start.Earlier,
        };
        Prepare(run, start);
        if (!plan.Options.ContinueOnDisconnect) stream.Abandoned = run.Stop;
        _running[stream.TurnId] = run;
        live.Add(stream);
        TurnEventJson.AppendMeta(stream, start.StartedAt, start.UserMessageId, plan.Model.Id);
        if (start.Said is { Length: > 0 } said) TurnEventJson.Append(stream, new TokenEvent(said));
        context.Running.TurnBegins();
        _ = RunAsync(run, start, cancellation);
        return run;
    }

    private async Task RunAsync(TurnRun run, TurnStart start, CancellationTokenSource cancellation)
    {
        try
        {
            using var timing = cancellation;
            using var revocation = context.Revocations.OnRevoked(run.Plan.CredentialId, () => run.Abort("UNAUTHORIZED"));
            using var shutdown = context.Draining.GraceOver.UnsafeRegister(static state => ((TurnRun)state!).Abort("SERVER_SHUTDOWN"), run);
            await RunLoopAsync(run, start);
        }
        catch (TurnLostException)
        {
            // Whoever listens is cut off without a last event: the turn has another stream now, on the node that took it over.
            LogTaken(context.Logger, run.Live.TurnId);
            live.Forget(run.Live);
            run.Live.Break(context.Time.Now());
        }
        catch (Exception exception)
        {
            LogLost(context.Logger, exception, run.Live.TurnId);
            TurnEventJson.Append(run.Live, TurnEventJson.Error("INTERNAL_ERROR", "the turn could not be stored", run.Usage, run.CostUsd));
        }
        finally
        {
            End(run);
        }
    }

    private void End(TurnRun run)
    {
        try
        {
            _running.TryRemove(new(run.Live.TurnId, run));
            live.End(run.Live);
            Report(run);
        }
        finally
        {
            // Last: a server that stops waits for turns, and then only for what they have queued.
            context.Running.TurnEnded();
        }
    }

    private void Report(TurnRun run)
    {
        if (run.End is not { } end) return;
        context.Material.TurnEnded(run);
        context.Metrics.TurnEnded(end.Error ?? end.FinishReason);
        if (run.Plan.IsNested) return;
        context.Metrics.TokensUsed(run.Usage.InputTokens, run.Usage.OutputTokens, run.Usage.CacheReadTokens);
        if (context.Settings.Otlp is not null) context.Otlp.Export(run.ToTrace(context.Time.Now(), context.Settings.Logs.CaptureContent));
    }

    private async Task RunLoopAsync(TurnRun run, TurnStart start)
    {
        try
        {
            await RunLegsAsync(run, start);
            await EndWellAsync(run);
        }
        catch (OperationCanceledException) when (run.Token.IsCancellationRequested)
        {
            await EndEarlyAsync(run);
        }
        catch (ModelException fault)
        {
            LogModel(context.Logger, fault, run.Live.TurnId, fault.Code);
            await FailAsync(run, fault.Code, fault.Message);
        }
        catch (Exception fault) when (fault is not TurnLostException)
        {
            LogFailed(context.Logger, fault, run.Live.TurnId);
            await FailAsync(run, "INTERNAL_ERROR", "the server failed; its log has the reason");
        }
    }

    /// <summary>The agents that the message addresses, one after another; nearly always one.</summary>
    private async Task RunLegsAsync(TurnRun run, TurnStart start)
    {
        if (run.Plan.Unheard is { } mentions)
        {
            run.Legs.TellNotAddressed(mentions);
            run.State.Outcome = new("not_addressed", []);
            return;
        }
        while (true)
        {
            run.Legs.Announce(run.Plan);
            if (!await AnswersAsync(run, start))
            {
                run.PrepareAnew(() => Prepare(run, start));
                await AnswersAsync(run, start, mayCompact: false);
            }
            await context.Compactor.AfterAsync(run, context.Keys.For(run.Plan.Equipment));
            if (run.Plan.Next is not { } next || !TurnLegs.GoesOn(run.State.Outcome!)) return;
            // Stored before the next agent begins: whatever happens then, this answer stays.
            run.Hand(next, await store.EndLegAsync(run));
            start = start with { UserMessage = null, NewMessages = 0, LastSeq = run.LastSeq, Progress = null, Interrupted = null, HistorySeq = null };
            Prepare(run, start);
        }
    }

    // False when the prompt was too long and is shorter now.
    private async Task<bool> AnswersAsync(TurnRun run, TurnStart start, bool mayCompact = true)
    {
        await context.Patience.WorkAsync(run.Live.TurnId, _ => AssembleAsync(run, start), run.Token);
        try
        {
            await foreach (var happened in _loop.RunAsync(run.State, run.Token))
            {
                run.Legs.Tell(happened, run.State);
                run.CheckpointIfDue();
            }
            return true;
        }
        catch (ModelException fault) when (fault.Code == ModelErrors.ContextTooLong && mayCompact && start is { UserMessage: not null, Progress: null } && run.State.Added.Count == 0)
        {
            LogModel(context.Logger, fault, run.Live.TurnId, fault.Code);
            if (!await context.Compactor.MakeRoomAsync(run, run.LastSeq - start.NewMessages, context.Keys.For(run.Plan.Equipment))) throw;
            return false;
        }
    }

    private void Prepare(TurnRun run, TurnStart start)
    {
        var turn = run.Live.TurnId;
        run.Prepare(models.Create(run.Plan.Model, run.Plan.Fallbacks, context.Keys.For(run.Plan.Equipment)), start, (tool, fault) => LogTool(context.Logger, fault, tool, turn));
    }

    private async ValueTask AssembleAsync(TurnRun run, TurnStart start)
    {
        var plan = run.Plan;
        var view = HistoryView.Of(plan);
        var prompt = new List<ChatMessage>();
        string? summary = null;
        if ((start.HistorySeq ?? start.LastSeq - start.NewMessages) is > 0 and var lastSeq)
        {
            await using var db = databases.Open(plan.Thread.OrgId);
            var past = await history.LoadAsync(db, view, lastSeq, plan.Thread.CompactedSeq, run.Token);
            prompt.AddRange(past.Messages);
            summary = past.Summary;
        }
        var known = prompt.Count;
        // What the client brought stands in the history already, but no span has shown it.
        while (start.Progress is not null && known > 0 && prompt[known - 1].Role == ChatRole.Tool) known--;
        if (start.UserMessage is { } message) prompt.Add(TurnHistory.UserMessage(message, view.WithNames));
        await context.Attachments.FillAsync(prompt, plan, run.Token);
        if (TurnPrompt.System(plan, await context.Material.ReadAsync(run, prompt), summary) is { } system)
        {
            prompt.Insert(0, system);
            known++;
        }
        run.State.Prompt = prompt;
        run.State.TracedMessages = known;
    }

    private async Task EndWellAsync(TurnRun run)
    {
        var outcome = run.State.Outcome!;
        if (outcome.FinishReason is { } reason)
        {
            var messageId = await CloseAsync(run, TurnStatuses.Done, reason, null);
            TurnEventJson.AppendDone(run.Live, Done(run, messageId, stopped: false, reason));
            return;
        }
        var expiresAt = context.Time.Now() + context.Settings.Turns.ActionExpiry;
        var question = TurnEventJson.RequiresAction(outcome.PendingCalls, expiresAt);
        run.Live.UsedAtQuestion = run.State.Usage;
        await store.PauseAsync(run, expiresAt, question);
        TurnEventJson.Append(run.Live, question);
    }

    private async Task EndEarlyAsync(TurnRun run)
    {
        if (run.IsStopped)
        {
            await CloseAsync(run, TurnStatuses.Stopped, "stopped", null);
            TurnEventJson.AppendDone(run.Live, Done(run, null, stopped: true, "stopped"));
            return;
        }
        if (run.IsHandedOver)
        {
            await store.HandOverAsync(run);
            run.End = new("error", "SERVER_SHUTDOWN");
            TurnEventJson.Append(run.Live, TurnEventJson.Error("SERVER_SHUTDOWN", "the server is shutting down; the turn goes on elsewhere or after the restart, attach to the thread's stream again", run.Usage, run.CostUsd));
            return;
        }
        await FailAsync(run, run.ErrorCode ?? "TURN_TIMEOUT", run.ErrorCode switch
        {
            "UNAUTHORIZED" => "the credential was revoked",
            "SERVER_SHUTDOWN" => "the server is shutting down; send the message again",
            _ => $"the turn took longer than {context.Settings.Turns.Timeout.TotalSeconds} s",
        });
    }

    private async Task FailAsync(TurnRun run, string code, string detail)
    {
        var error = TurnEventJson.Error(code, detail, run.Usage, run.CostUsd);
        await CloseAsync(run, TurnStatuses.Failed, null, code, error);
        TurnEventJson.Append(run.Live, error);
    }

    private Task<Guid?> CloseAsync(TurnRun run, string status, string? finishReason, string? error, TerminalEvent? terminal = null)
    {
        run.End = new(finishReason ?? "error", error);
        return store.CloseAsync(run, status, finishReason, error, terminal);
    }

    private static TurnDone Done(TurnRun run, Guid? messageId, bool stopped, string reason) =>
        new(stopped ? null : messageId ?? run.Legs.Finished.LastMessageId, run.Text, stopped, run.Usage, run.CostUsd, reason, stopped ? null : run.State.Output);

    [LoggerMessage(1, LogLevel.Warning, "The model call of turn {Turn} failed with {Code}")]
    private static partial void LogModel(ILogger logger, Exception exception, Guid turn, string code);

    [LoggerMessage(2, LogLevel.Error, "Turn {Turn} failed")]
    private static partial void LogFailed(ILogger logger, Exception exception, Guid turn);

    [LoggerMessage(4, LogLevel.Warning, "Tool {Tool} of turn {Turn} failed unexpectedly")]
    private static partial void LogTool(ILogger logger, Exception exception, string tool, Guid turn);

    [LoggerMessage(5, LogLevel.Warning, "Turn {Turn} was taken over by another node")]
    private static partial void LogTaken(ILogger logger, Guid turn);

    [LoggerMessage(3, LogLevel.Error, "The end of turn {Turn} could not be stored")]
    private static partial void LogLost(ILogger logger, Exception exception, Guid turn);
}

/// <summary>What the server itself gives to every turn.</summary>
internal sealed record TurnHostContext(
    ServerSettings Settings, TimeProvider Time, Platform.Lifetime.Draining Draining, Platform.Http.RunningRequests Running, Platform.Identity.Revocations Revocations, ILogger<TurnHost> Logger, Logs.OtlpExport Otlp, Platform.Telemetry.ServerMetrics Metrics,
    Attachments.AttachmentPrompt Attachments, DatabasePatience Patience, TurnMaterial Material, Credentials.CredentialResolver Keys, Compactions.ThreadCompactor Compactor);

/// <summary>How a stream of a turn begins.</summary>
/// <param name="StartedAt">Of the turn.</param>
/// <param name="Content">The user's text.</param>
/// <param name="UserMessageId">The message that started the turn.</param>
/// <param name="UserMessage">The message to put last in the prompt; null when the history already ends with what is new.</param>
/// <param name="LastSeq">Sequence number of the thread's newest message.</param>
/// <param name="NewMessages">How many of the newest messages are <paramref name="UserMessage"/> rather than history.</param>
/// <param name="Progress">Of an earlier stream of the turn.</param>
internal sealed record TurnStart(DateTime StartedAt, string? Content, Guid? UserMessageId, Message? UserMessage, long LastSeq, int NewMessages, TurnProgress? Progress)
{
    /// <summary>How often the turn was taken over before.</summary>
    public long Fence { get; init; }

    /// <summary>Record of its earlier streams.</summary>
    public byte[]? Earlier { get; init; }

    /// <summary>Text of the turn that this stream repeats, because the stream that said it broke off.</summary>
    public string? Said { get; init; }

    /// <summary>A step whose node died before all its calls had results.</summary>
    public InterruptedStep? Interrupted { get; init; }

    /// <summary>The newest message that belongs into the prompt; null = all but the new ones.</summary>
    public long? HistorySeq { get; init; }
}
