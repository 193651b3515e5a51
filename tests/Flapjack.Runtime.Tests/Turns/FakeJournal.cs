using Flapjack.Runtime.Turns;

namespace Flapjack.Runtime.Tests.Turns;

/// <summary>Keeps what was recorded, notices calls that overlap, and fails on demand.</summary>
internal sealed class FakeJournal : ITurnJournal
{
    private int _running;

    public List<TurnStep> Steps { get; } = [];
    public List<TurnCallResult> Results { get; } = [];
    public Func<TurnCallResult, Exception?> Failing { get; set; } = _ => null;
    public Exception? FailingStep { get; set; }

    public async ValueTask RecordStepAsync(TurnStep step, CancellationToken cancellationToken)
    {
        if (FailingStep is not null) throw FailingStep;
        await AloneAsync(() => Steps.Add(step));
    }

    public async ValueTask RecordResultAsync(TurnCallResult result, CancellationToken cancellationToken)
    {
        cancellationToken.CanBeCanceled.ShouldBeFalse();
        if (Failing(result) is { } failure) throw failure;
        await AloneAsync(() => Results.Add(result));
    }

    public string ResultOf(string id) => Results.Single(result => result.CallId == id).Content;

    /// <summary>Calls recorded without a result, client-side ones left out.</summary>
    public IEnumerable<string> Open(bool clientSide = false) => Steps.SelectMany(step => step.Calls)
        .Where(call => clientSide || !call.ClientSide).Select(call => call.Id).Except(Results.Select(result => result.CallId));

    private async Task AloneAsync(Action record)
    {
        Interlocked.Increment(ref _running).ShouldBe(1);
        await Task.Yield();
        record();
        Interlocked.Decrement(ref _running);
    }
}
