using System.Text;
using Flapjack.Runtime.Turns;

namespace Flapjack.Server.Threads.Streams;

/// <summary>The stored form of a turn's streams: enough to replay every event byte for byte, little enough to be written with every turn.</summary>
/// <remarks>
/// Tokens, which are nearly all events, are kept as the lengths of their pieces of the turn's text; the text itself is stored with the answer anyway.
/// Other events are kept whole, except <c>done</c>, which is made from the answer's row. Numbers are LEB128. An event is <c>length &gt; 0</c> for a token,
/// or <c>0, length of type, type, length of data, data</c>. Each stream of the turn begins with its <c>meta</c>, preceded by <c>0, 0, number of its first event</c>.
/// </remarks>
internal static class StreamRecord
{
    /// <summary>Streams with more than this (large tool results, mostly) are not kept; they cannot be replayed after a restart.</summary>
    private const int MaxBytes = 1024 * 1024;

    /// <summary>The record of earlier streams with one more behind it.</summary>
    /// <param name="earlier">What was recorded of the turn before; null for its first stream.</param>
    /// <param name="stream">Its events so far, without <c>done</c>.</param>
    /// <param name="terminal">Its last event, if that is not appended yet.</param>
    public static byte[]? Of(byte[]? earlier, LiveTurn stream, TerminalEvent? terminal = null)
    {
        if (stream.Bytes > MaxBytes) return null;
        using var record = new MemoryStream((earlier?.Length ?? 0) + 512);
        record.Write(earlier);
        Put(record, 0);
        Put(record, 0);
        Put(record, stream.FirstSequence);
        foreach (var (type, data, textLength) in stream.Marked())
        {
            if (textLength > 0) Put(record, textLength);
            else Put(record, type, data.Span);
        }
        if (terminal is not null) Put(record, terminal.Type, terminal.Data);
        return record.Length > MaxBytes ? null : record.ToArray();
    }

    /// <summary>The streams of a turn, each without its <c>done</c>. Null when text and record do not belong together.</summary>
    /// <param name="record">What <see cref="Of"/> made.</param>
    /// <param name="text">All text of the turn.</param>
    /// <param name="create">Makes an empty stream that begins with this number.</param>
    public static List<LiveTurn>? Read(ReadOnlySpan<byte> record, string text, Func<long, LiveTurn> create)
    {
        var streams = new List<LiveTurn>(1);
        var (at, said) = (0, 0);
        while (at < record.Length)
        {
            var length = (int)Take(record, ref at);
            if (length > 0)
            {
                if (said + length > text.Length) return null;
                TurnEventJson.Append(streams[^1], new TokenEvent(text.Substring(said, length)));
                said += length;
                continue;
            }
            var typeLength = (int)Take(record, ref at);
            if (typeLength == 0)
            {
                streams.Add(create(Take(record, ref at)));
                continue;
            }
            var type = Encoding.ASCII.GetString(record.Slice(at, typeLength));
            at += typeLength;
            var size = (int)Take(record, ref at);
            streams[^1].Append(type, record.Slice(at, size));
            at += size;
        }
        return said == text.Length ? streams : null;
    }

    /// <summary>The record with a last event for a stream that broke off; null when nothing was recorded.</summary>
    public static byte[]? EndedBy(byte[]? record, TerminalEvent terminal)
    {
        if (record is null || Finished(record)?.Length == record.Length) return null;
        using var ended = new MemoryStream(record.Length + terminal.Data.Length + 32);
        ended.Write(record);
        Put(ended, terminal.Type, terminal.Data);
        return ended.ToArray();
    }

    /// <summary>The record without a stream that broke off; null when there is no other.</summary>
    public static byte[]? Finished(byte[]? record)
    {
        if (record is null) return null;
        var (_, lastStream, isEnded) = Survey(record);
        return isEnded ? record : lastStream == 0 ? null : record[..lastStream];
    }

    /// <summary>How much of the turn's text the recorded tokens hold.</summary>
    public static int TextLength(byte[]? record) => record is null ? 0 : Survey(record).TextLength;

    private static (int TextLength, int LastStream, bool IsEnded) Survey(ReadOnlySpan<byte> record)
    {
        var (text, lastStream, isEnded) = (0, 0, true);
        for (var at = 0; at < record.Length;)
        {
            var start = at;
            var length = (int)Take(record, ref at);
            text += length;
            isEnded = false;
            if (length > 0) continue;
            var typeLength = (int)Take(record, ref at);
            if (typeLength == 0)
            {
                Take(record, ref at);
                lastStream = start;
                continue;
            }
            isEnded = record.Slice(at, typeLength).SequenceEqual("requires_action"u8) || record.Slice(at, typeLength).SequenceEqual("error"u8);
            at += typeLength;
            var size = (int)Take(record, ref at);
            at += size;
        }
        return (text, lastStream, isEnded);
    }

    private static void Put(MemoryStream record, string type, ReadOnlySpan<byte> data)
    {
        Put(record, 0);
        Put(record, type.Length);
        record.Write(Encoding.ASCII.GetBytes(type));
        Put(record, data.Length);
        record.Write(data);
    }

    private static void Put(MemoryStream record, long number)
    {
        for (var rest = (ulong)number; ; rest >>= 7)
        {
            if (rest < 0x80)
            {
                record.WriteByte((byte)rest);
                return;
            }
            record.WriteByte((byte)(rest | 0x80));
        }
    }

    private static long Take(ReadOnlySpan<byte> record, ref int at)
    {
        ulong number = 0;
        for (var shift = 0; ; shift += 7)
        {
            var part = record[at++];
            number |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return (long)number;
        }
    }
}
