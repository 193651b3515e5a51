using System.Globalization;
using System.Text;

namespace Flapjack.Server.Threads.Streams;

/// <summary>Which of a turn's streams is meant; the default is the newest.</summary>
internal readonly record struct StreamPick
{
    /// <summary>A longer name of a call has no place in a signal.</summary>
    private const int LongestAnswer = 500;
    private const string LatestText = "latest", AfterText = "after:", StartText = "start:", AnswerText = "answer:";

    /// <summary>The newest stream that goes on after the event with this number.</summary>
    public long? After { get; private init; }

    /// <summary>The stream whose first event has this number.</summary>
    public long? Start { get; private init; }

    /// <summary>The stream that was opened by the result of this client-side call.</summary>
    public string? Answer { get; private init; }

    public static StreamPick Latest => default;

    /// <summary>The stream that answers the message which began the turn.</summary>
    public static StreamPick First => StartingAt(1);

    public static StreamPick AfterEvent(long sequence) => new() { After = sequence };

    public static StreamPick StartingAt(long sequence) => new() { Start = sequence };

    public static StreamPick Answering(string callId) => new() { Answer = callId };

    /// <summary>The stream that a request opened.</summary>
    /// <param name="callId">The first call it brought a result of; null when it began the turn.</param>
    public static StreamPick OpenedBy(string? callId) => callId is { Length: <= LongestAnswer } ? Answering(callId) : First;

    public bool Fits(LiveTurn stream) =>
        (After is not { } after || stream.PositionAfter(after) is not null) && (Start is not { } start || stream.FirstSequence == start) && (Answer is not { } answer || stream.Answers.Contains(answer));

    public override string ToString() => this switch
    {
        { After: { } after } => string.Create(CultureInfo.InvariantCulture, $"{AfterText}{after}"),
        { Start: { } start } => string.Create(CultureInfo.InvariantCulture, $"{StartText}{start}"),
        // Models choose these names, and may put anything into them.
        { Answer: { } answer } => AnswerText + Convert.ToHexString(Encoding.UTF8.GetBytes(answer)),
        _ => LatestText,
    };

    public static StreamPick Parse(string text) => text switch
    {
        _ when text.StartsWith(AfterText, StringComparison.Ordinal) => AfterEvent(long.Parse(text.AsSpan(AfterText.Length), CultureInfo.InvariantCulture)),
        _ when text.StartsWith(StartText, StringComparison.Ordinal) => StartingAt(long.Parse(text.AsSpan(StartText.Length), CultureInfo.InvariantCulture)),
        _ when text.StartsWith(AnswerText, StringComparison.Ordinal) => Answering(Encoding.UTF8.GetString(Convert.FromHexString(text.AsSpan(AnswerText.Length)))),
        _ => Latest,
    };
}
