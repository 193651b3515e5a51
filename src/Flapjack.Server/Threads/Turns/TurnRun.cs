using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Models;
using Flapjack.Server.Platform;
using Flapjack.Server.Threads.Multiplayer;
using Flapjack.Server.Threads.Recovery;
using Flapjack.Server.Threads.Streams;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Threads.Turns;

/// <summary>One stream of a turn while it runs on this node: what it is doing, and how to make it end.</summary>
internal sealed class TurnRun(TurnPlan plan, LiveTurn live, TurnStore store, DateTime startedAt, CancellationTokenSource cancellation) : ITurnJournal
{
    private int _ending;
    private int _checkpointDue;
    private string? _errorCode;

    /// <summary>What runs now: with several agents the plan of the one that answers.</summary>
    public TurnPlan Plan { get; private set; } = plan;

    public TurnLegs Legs { get; } = new(live, plan.Finished);

    public LiveTurn Live { get; } = live;

    /// <summary>When the turn began, which for a continued one was in an earlier stream.</summary>
    public DateTime StartedAt { get; } = startedAt;

    /// <summary>The user's text, for the trace.</summary>
    public required string? Input { get; init; }

    public required Guid? UserMessageId { get; init; }

    public Guid RootSpanId { get; init; } = Ids.New();

    /// <summary>Sequence number of the thread's newest message.</summary>
    public required long LastSeq { get; set; }

    /// <summary>How often the turn was taken over before this node got it.</summary>
    public long Fence { get; init; }

    /// <summary>Record of the turn's earlier streams.</summary>
    public byte[]? Earlier { get; init; }

    public TurnOwner Owner => new(Plan.Thread.Id, Live.TurnId, Fence);

    /// <summary>Completes when the last checkpoint is written, or has failed.</summary>
    public Task Checkpointed { get; private set; } = Task.CompletedTask;

    /// <summary>The turn will be taken up again after this node has ended.</summary>
    public bool IsHandedOver => ErrorCode == "SERVER_SHUTDOWN" && Plan.Options.ContinueOnDisconnect;

    /// <summary>Set before the loop starts.</summary>
    public TurnState State { get; private set; } = null!;

    /// <summary>The text of the whole turn so far, over all its agents and streams.</summary>
    public string Text => Legs.TextWith(State);

    /// <summary>Tokens of the whole turn so far.</summary>
    public ModelUsage Usage => Legs.UsageWith(State);

    /// <summary>Cost of the whole turn so far; null until a priced call ended.</summary>
    public decimal? CostUsd => Legs.CostWith(State);

    /// <summary>How the turn ended; null while it runs or waits for the client.</summary>
    public TurnEnd? End { get; set; }

    public CancellationToken Token => cancellation.Token;

    /// <summary>Somebody asked the turn to stop: it ends well, with what there is.</summary>
    public bool IsStopped => Volatile.Read(ref _ending) == 1 && _errorCode is null;

    /// <summary>Code of the error the turn was told to end with.</summary>
    public string? ErrorCode => Volatile.Read(ref _ending) == 1 ? _errorCode : null;

    /// <summary>Ends the turn as stopped.</summary>
    public void Stop() => Cancel(null);

    /// <summary>Ends the turn with an error, such as <c>SERVER_SHUTDOWN</c>.</summary>
    public void Abort(string code)
    {
        if (code == "SERVER_SHUTDOWN" && Plan.Options.ContinueOnDisconnect) State.LeavesCallsOpen = true;
        Cancel(code);
    }

    /// <summary>Lets the turn write down how far it got as soon as it has something new. From any thread.</summary>
    public void AskForCheckpoint() => Volatile.Write(ref _checkpointDue, 1);

    /// <summary>Begins a checkpoint if one is due. Only from the turn's own task, which alone may look at its state.</summary>
    public void CheckpointIfDue()
    {
        // The only thing a checkpoint decides: a turn that another node has is over here.
        if (Checkpointed.IsFaulted) Checkpointed.GetAwaiter().GetResult();
        if (Volatile.Read(ref _checkpointDue) == 0 || !Checkpointed.IsCompleted) return;
        Volatile.Write(ref _checkpointDue, 0);
        Checkpointed = CheckpointAsync();
    }

    /// <summary>The stored form of the turn's streams so far.</summary>
    public byte[]? Record(TerminalEvent? terminal = null) => StreamRecord.Of(Earlier, Live, terminal);

    public void Prepare(IChatClient model, TurnStart start, Action<string, Exception> toolFaulted)
    {
        State = new TurnState
        {
            Model = model,
            ModelId = Plan.Model.Id,
            Options = OptionsOf(Plan),
            Prompt = [],
            Tools = Plan.Tools,
            Caller = new(Plan.Thread.OrgId, Plan.Agent.Id, Plan.Thread.Id, UserMessageId, Plan.UserId) { TurnId = Live.TurnId, Bindings = Plan.Equipment.Bindings },
            Journal = this,
            MaxToolCalls = Plan.Agent.MaxToolCalls,
            PriceOf = id => ChoiceOf(id).Price,
            Format = Plan.Options.Format?.ToAnswerFormat(),
            ToolFaulted = toolFaulted,
            ShowsImages = Plan.Model.Supports.Vision && Plan.Fallbacks.All(fallback => fallback.Supports.Vision),
            TakenCallIds = Legs.Finished.CallIds,
            ClientRounds = Legs.Finished.ClientRounds,
            Interrupted = start.Interrupted,
            LeavesCallsOpen = IsHandedOver,
        };
        start.Progress?.ApplyTo(State);
    }

    /// <summary>Begins the agent's answer anew because its first model call took nothing: what that call cost and left in the trace stays.</summary>
    public void PrepareAnew(Action prepare)
    {
        var failed = State;
        prepare();
        State.Spans.AddRange(failed.Spans);
        State.Add(failed.Usage, failed.CostUsd);
    }

    /// <summary>The agent's answer is stored; the next one answers. <see cref="Prepare"/> it before it does.</summary>
    public void Hand(TurnPlan next, Guid? messageId)
    {
        Legs.End(State, messageId);
        Plan = next;
    }

    public ModelChoice ChoiceOf(string modelId) => modelId == Plan.Model.Id ? Plan.Model : Plan.Fallbacks.FirstOrDefault(f => f.Id == modelId) ?? Plan.Model;

    async ValueTask ITurnJournal.RecordStepAsync(TurnStep step, CancellationToken cancellationToken) => await store.StepAsync(this, step);

    async ValueTask ITurnJournal.RecordResultAsync(TurnCallResult result, CancellationToken cancellationToken) => await store.ResultAsync(this, result);

    private async Task CheckpointAsync()
    {
        try
        {
            await store.CheckpointAsync(this);
        }
        catch (Exception exception) when (exception is not TurnLostException)
        {
            // The next one will do; what must be written waits for the database by itself.
        }
    }

    private void Cancel(string? code)
    {
        if (Interlocked.CompareExchange(ref _ending, -1, 0) != 0) return;
        _errorCode = code;
        Volatile.Write(ref _ending, 1);
        try
        {
            // Not on the caller's thread: what the cancellation wakes may take its time.
            _ = cancellation.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It ended by itself this very moment.
        }
    }

    /// <summary>Its finished spans as part of the trace of the call that the turn ran in.</summary>
    public IEnumerable<TurnSpan> SpansUnder(Guid call) => Legs.Finished.Spans.Concat(State.Spans).Select(span => span.Under(call, CallOf(span)));

    /// <summary>The model side of a span, with the provider and the credential of this turn where the call names none of its own.</summary>
    public ModelCall? CallOf(TurnSpan span) => span.Model is not { } call ? null
        : call with { Provider = call.Provider ?? ChoiceOf(call.Model).Provider, CredentialSource = call.CredentialSource ?? ChoiceOf(call.Model).CredentialSource };

    /// <summary>The turn as exporters see it.</summary>
    public Logs.TurnTrace ToTrace(DateTime now, bool withContent) => new()
    {
        Id = Live.TurnId,
        OrgId = Plan.Thread.OrgId,
        AgentId = Plan.Agent.Id,
        AgentName = Plan.Agent.Name,
        ThreadId = Plan.Thread.Id,
        UserId = Plan.UserId,
        Name = TurnDoors.TraceOf(Plan.Options.Source),
        Model = Plan.Model.Id,
        StartedAt = StartedAt,
        EndedAt = now,
        Error = End?.Error,
        Usage = Usage,
        CostUsd = CostUsd,
        Input = withContent ? Content(Input) : null,
        Output = withContent ? Content(Text) : null,
        Spans = [.. Legs.Finished.Spans, .. State.Spans],
    };

    private static System.Text.Json.JsonElement Content(string? text) => System.Text.Json.JsonSerializer.SerializeToElement(new { content = text }, Platform.Http.WireJson.Responses);

    private static ChatOptions OptionsOf(TurnPlan plan)
    {
        var options = new ChatOptions
        {
            Temperature = plan.Model.Supports.Temperature ? (float?)(plan.Options.Temperature ?? plan.Agent.Temperature) : null,
            MaxOutputTokens = Least(plan.Options.MaxOutputTokens, plan.Agent.MaxOutputTokens),
            StopSequences = plan.Options.StopSequences.Count == 0 ? null : [.. plan.Options.StopSequences],
        };
        plan.Options.Format?.ApplyTo(options);
        var openai = plan.Options.OpenAI;
        new ModelSettings
        {
            Anthropic = plan.Options.Anthropic with { Compaction = plan.Compaction is { Enabled: true } c ? new(c.AnthropicTriggerTokens, c.AnthropicInstructions, c.AnthropicPauseAfter) : null },
            OpenAI = openai with { PromptCacheKey = openai.PromptCacheKey ?? plan.Thread.Id.ToString(), SafetyIdentifier = openai.SafetyIdentifier ?? plan.Thread.OrgId.ToString() },
        }.AttachTo(options);
        return options;
    }

    private static int? Least(int? one, int? other) => one < other ? one : other ?? one;
}

/// <summary>How a turn ended: the reason, and the code when it failed.</summary>
internal sealed record TurnEnd(string FinishReason, string? Error);
