using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Flapjack.Runtime.Tools;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Turns;

/// <summary>
/// Runs the calls of one model step. The step is journalled before anything runs; afterwards every way out, stops and faults included, leaves each
/// server-side call with a journalled result: a history with an unanswered call is refused by providers for ever.
/// </summary>
internal sealed class ToolStep(TurnState state, TimeProvider clock, TurnStep step, IReadOnlyList<StepCall> calls, bool recorded = false) : IAsyncDisposable
{
    private const int MaxParallel = 4;
    // Pairs, because a proposal must follow its result with nothing in between.
    private readonly Channel<(TurnEvent Event, TurnEvent? Next)> _events = Channel.CreateUnbounded<(TurnEvent, TurnEvent?)>(new() { SingleReader = true });
    private readonly SemaphoreSlim _journalTurn = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private Task _work = Task.CompletedTask;
    private int _next = -1;
    private bool _recorded = recorded;
    private bool _finished;

    public async IAsyncEnumerable<TurnEvent> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // 6. The intent is durable before the first call is made.
        if (!_recorded) await state.Journal.RecordStepAsync(step, cancellationToken);
        _recorded = true;
        (state.TailStart, state.TailCompaction) = (state.Text.Length, null);
        await using var stopping = cancellationToken.Register(static source => ((CancellationTokenSource)source!).Cancel(), _stop);

        foreach (var call in calls)
        {
            if (call.Call.ClientSide || call.Finished) continue;
            yield return new ToolCallEvent(call.Call.Id, call.Call.Name, call.Call.Arguments);
            if (!call.Refused) continue;
            Trace(call, clock.GetUtcNow());
            await JournalAsync(call);
            yield return call.ResultEvent(0);
        }

        // 7. Up to four at a time; their events come as they happen.
        _work = WorkAsync();
        await foreach (var (happened, next) in _events.Reader.ReadAllAsync(cancellationToken))
        {
            yield return happened;
            if (next is not null) yield return next;
        }
        // Workers end early on a stop, which can close the channel before the reader sees the token.
        cancellationToken.ThrowIfCancellationRequested();
        _finished = true;
    }

    /// <summary>Answers calls the client will not be asked for.</summary>
    public async ValueTask RefuseClientCallsAsync(string code, string detail)
    {
        foreach (var call in calls)
        {
            if (!call.Call.ClientSide || call.Finished) continue;
            call.Result = ToolResult.Failed(code, detail);
            await JournalAsync(call);
        }
    }

    /// <summary>The first challenge of the step, in call order.</summary>
    public bool Challenged
    {
        get
        {
            foreach (var call in calls)
            {
                if (call.Challenge is not null) return true;
            }
            return false;
        }
    }

    /// <summary>Stops what still runs, gives every call without result one, and adds the step to the prompt.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await _work;
            if (_recorded && !_finished && !state.LeavesCallsOpen) await CloseOpenCallsAsync();
        }
        catch (Exception)
        {
            // The journal failed again; the reader of the events already has the exception that matters.
        }
        if (_recorded) AppendToPrompt();
        _stop.Dispose();
        _journalTurn.Dispose();
    }

    private async Task WorkAsync()
    {
        var workers = new Task[Math.Min(MaxParallel, calls.Count)];
        for (var i = 0; i < workers.Length; i++) workers[i] = WorkerAsync();
        await Task.WhenAll(workers);
        _events.Writer.TryComplete();
    }

    private async Task WorkerAsync()
    {
        try
        {
            int index;
            while (!_stop.IsCancellationRequested && (index = Interlocked.Increment(ref _next)) < calls.Count)
            {
                if (calls[index].Runs) await RunAsync(calls[index]);
            }
        }
        catch (Exception fault)
        {
            // The journal failed: the reader learns it at once, and nothing more is started.
            _events.Writer.TryComplete(fault);
            await _stop.CancelAsync();
        }
    }

    private async Task RunAsync(StepCall call)
    {
        var started = clock.GetTimestamp();
        var span = Trace(call, clock.GetUtcNow());
        _events.Writer.TryWrite((new ToolExecutingEvent(call.Call.Id, call.Call.Name), null));
        call.Result = await new ToolInvocation(call, state, span, clock, happened => _events.Writer.TryWrite((happened, null))).RunAsync(_stop.Token);
        Close(span, call);
        if (state.LeavesCallsOpen && call.Result.Error == ToolErrors.Cancelled) return;
        // 8. The result is durable before anybody hears of it.
        await JournalAsync(call);
        var durationMs = (long)clock.GetElapsedTime(started).TotalMilliseconds;
        _events.Writer.TryWrite((call.ResultEvent(durationMs), call.Result.IsError ? null : call.Proposal));
    }

    private async Task JournalAsync(StepCall call)
    {
        await _journalTurn.WaitAsync(CancellationToken.None);
        try
        {
            call.Journalled = true;
            // Not the turn's token: the call has been made, and its result must not get lost with the turn.
            await state.Journal.RecordResultAsync(call.RecordedResult, CancellationToken.None);
        }
        finally
        {
            _journalTurn.Release();
        }
    }

    private async ValueTask CloseOpenCallsAsync()
    {
        foreach (var call in calls)
        {
            if (call.Journalled) continue;
            call.Result ??= ToolResult.Failed(ToolErrors.Cancelled, "The turn was stopped.");
            await JournalAsync(call);
        }
    }

    private void AppendToPrompt()
    {
        var results = new List<TurnCallResult>(calls.Count);
        foreach (var call in calls)
        {
            if (call.Result is not null) results.Add(call.RecordedResult);
        }
        state.Added.Add(step.ToMessage());
        if (results.Count > 0) state.Added.Add(TurnCallResult.ToMessage(results));
        if (state.ShowsImages) AppendImages();
    }

    // Behind the results, as if the user had sent them: not every protocol has a place for images in a result.
    private void AppendImages()
    {
        var contents = new List<AIContent>();
        foreach (var call in calls)
        {
            if (call.Result is not { Images.Count: > 0 } result) continue;
            contents.Add(new TextContent($"[Images in the result of {call.Call.Name}, call {call.Call.Id}]"));
            contents.AddRange(result.Images);
        }
        if (contents.Count > 0) state.Added.Add(new(ChatRole.User, contents));
    }

    private TurnSpan Trace(StepCall call, DateTimeOffset now)
    {
        var span = new TurnSpan
        {
            Id = Guid.CreateVersion7(now),
            Kind = call.Tool?.SpanKind ?? "tool",
            Name = call.Call.Name,
            StartedAt = now.UtcDateTime,
            Input = TraceValue.Cap(call.Call.Arguments, call.Arguments),
        };
        if (call.Result is not null) Close(span, call);
        state.Add(span);
        return span;
    }

    private void Close(TurnSpan span, StepCall call)
    {
        span.EndedAt = clock.GetUtcNow().UtcDateTime;
        span.Output = call.Result!.Trace;
        span.Error = call.Result.Error;
    }
}
