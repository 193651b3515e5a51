using System.Globalization;

namespace Flapjack.Server.Threads.Streams.Relay;

/// <summary>What the reading node says to the owner of a stream: who listens, to what, and how much has arrived. Said at the start, now and then, and after a loss; saying it twice does no harm.</summary>
/// <param name="Relay">Chosen by the reading node.</param>
/// <param name="Turn">The turn.</param>
/// <param name="Org">Whose it is.</param>
/// <param name="Pick">Which of its streams.</param>
/// <param name="Position">Bytes that have arrived without a gap.</param>
/// <param name="Wish">What is expected in return.</param>
internal readonly record struct ListenNote(Guid Relay, Guid Turn, Guid Org, StreamPick Pick, int Position, ListenWish Wish)
{
    public const string Topic = "stream.listen";

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Relay:N} {Turn:N} {Org:N} {Pick} {Position} {Wish:D}");

    public static ListenNote Parse(string text)
    {
        var fields = text.Split(' ');
        return new(Guid.Parse(fields[0]), Guid.Parse(fields[1]), Guid.Parse(fields[2]), StreamPick.Parse(fields[3]), RelayText.Number(fields[4]), (ListenWish)RelayText.Number(fields[5]));
    }
}

internal enum ListenWish
{
    /// <summary>Only the rest.</summary>
    None,

    /// <summary>A word in any case, so that the reader knows that the owner lives and that nothing is missing.</summary>
    Word,

    /// <summary>Everything from the position on once more.</summary>
    Again,
}

/// <summary>What the owner of a stream says to a reading node: bytes of its log.</summary>
/// <param name="Relay">As chosen by the reader.</param>
/// <param name="First">Sequence number of the stream's first event; 0 when the owner does not have the stream.</param>
/// <param name="Offset">Where in the log the bytes belong.</param>
/// <param name="IsEnd">The stream has ended, and these are its last bytes.</param>
/// <param name="Text">The bytes. They are whole characters, but not whole events.</param>
internal readonly record struct EventsNote(Guid Relay, long First, int Offset, bool IsEnd, string Text)
{
    public const string Topic = "stream.events";

    /// <summary>Bytes of a log in one note; the rest of a signal's body is for the head.</summary>
    public const int MaxText = 6_500;

    public static EventsNote Unknown(Guid relay) => new(relay, 0, 0, true, "");

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Relay:N} {First} {Offset} {(IsEnd ? 1 : 0)}\n{Text}");

    public static EventsNote Parse(string body)
    {
        var head = body.IndexOf('\n', StringComparison.Ordinal);
        var fields = body[..head].Split(' ');
        return new(Guid.Parse(fields[0]), long.Parse(fields[1], CultureInfo.InvariantCulture), RelayText.Number(fields[2]), fields[3] == "1", body[(head + 1)..]);
    }
}

internal static class RelayText
{
    /// <summary>Nobody here listens any more; the body is the relay.</summary>
    public const string LeaveTopic = "stream.leave";

    public static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
