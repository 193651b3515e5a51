using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Flapjack.Server.Platform.Http;

/// <summary>The events of one stream: an append-only log in wire form with any number of readers, so that a slow one slows nobody and attaching again is the same as attaching.</summary>
internal class EventLog
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    // One writer a thread, not one a turn: five hundred open streams then share a handful.
    [ThreadStatic]
    private static (ArrayBufferWriter<byte> Data, Utf8JsonWriter Json)? t_writing;

    private readonly Lock _lock = new();
    private readonly byte[] _idPrefix;
    private readonly List<EventMark> _marks = new(8);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] _log = new byte[1024];
    private int _length;
    private int _readers;
    private bool _isEnded;
    private TaskCompletionSource? _more;

    /// <param name="id">Stands before the sequence number in every event's id.</param>
    /// <param name="firstSequence">A stream that goes on with an earlier one goes on counting.</param>
    public EventLog(Guid id, long firstSequence)
    {
        FirstSequence = firstSequence;
        _idPrefix = Encoding.ASCII.GetBytes($"id: {id:D}:");
    }

    /// <summary>Sequence number of this stream's first event.</summary>
    public long FirstSequence { get; }

    /// <summary>Sequence number the next event gets.</summary>
    public long NextSequence => FirstSequence + _marks.Count;

    /// <summary>Completes after the terminal event.</summary>
    public Task Ended => _ended.Task;

    public bool IsEnded => Volatile.Read(ref _isEnded);

    public DateTime EndedAt { get; private set; }

    /// <summary>True for a log that ended without its terminal event, because nobody here will learn what follows.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Memory the log takes.</summary>
    public int Bytes => _length + _marks.Count * 24;

    /// <summary>Called when the last reader has left a stream that still runs.</summary>
    public Action? Abandoned { get; set; }

    /// <summary>Appends an event and wakes the readers. Only one task writes to a log.</summary>
    /// <param name="type">Name of the event.</param>
    /// <param name="state">What it tells.</param>
    /// <param name="write">Writes the data.</param>
    /// <param name="textLength">For an event that carries nothing but text: its length in characters.</param>
    public void Append<T>(string type, T state, Action<Utf8JsonWriter, T> write, int textLength = 0) => Append(type, Write(state, write), textLength);

    /// <summary>Appends an event whose data were composed before.</summary>
    public void Append(string type, ReadOnlySpan<byte> data) => Append(type, data, 0);

    /// <summary>The data of an event, to be stored before it is appended.</summary>
    public static byte[] Compose<T>(T state, Action<Utf8JsonWriter, T> write) => Write(state, write).ToArray();

    private static ReadOnlySpan<byte> Write<T>(T state, Action<Utf8JsonWriter, T> write)
    {
        var (data, json) = t_writing ??= NewWriter();
        data.ResetWrittenCount();
        json.Reset();
        write(json, state);
        json.Flush();
        return data.WrittenSpan;
    }

    private void Append(string type, ReadOnlySpan<byte> data, int textLength)
    {
        TaskCompletionSource? more;
        lock (_lock)
        {
            Frame(type, data, textLength);
            (more, _more) = (_more, null);
        }
        more?.TrySetResult();
    }

    /// <summary>Appends whole events in the bytes in which another log of the same stream holds them, and wakes the readers.</summary>
    public void AppendCopy(ReadOnlySpan<byte> events)
    {
        TaskCompletionSource? more;
        lock (_lock)
        {
            Reserve(events.Length);
            while (events.IndexOf("\n\n"u8) is var end and > 0)
            {
                var @event = events[..(end + 2)];
                var (type, data) = (@event.IndexOf("\nevent: "u8) + 8, @event.IndexOf("\ndata: "u8) + 7);
                Put(_log.AsSpan(_length), @event);
                _marks.Add(new(string.Intern(Encoding.ASCII.GetString(@event[type..(data - 7)])), _length + data, _length + @event.Length, 0));
                _length += @event.Length;
                events = events[@event.Length..];
            }
            (more, _more) = (_more, null);
        }
        more?.TrySetResult();
    }

    /// <summary>Ends the log where it stands: readers are cut off and may come back elsewhere.</summary>
    public void Break(DateTime now)
    {
        IsBroken = true;
        End(now);
    }

    /// <summary>Marks the stream as ended; its terminal event has been appended.</summary>
    public void End(DateTime now)
    {
        TaskCompletionSource? more;
        lock (_lock)
        {
            EndedAt = now;
            _isEnded = true;
            // It leads to the whole turn, prompt and spans included.
            Abandoned = null;
            // It may be kept for minutes now, so it keeps no more than it holds.
            _log = _log.AsSpan(0, _length).ToArray();
            _marks.TrimExcess();
            (more, _more) = (_more, null);
        }
        more?.TrySetResult();
        _ended.TrySetResult();
    }

    /// <summary>What the log holds from <paramref name="position"/> on. Bytes once written never change.</summary>
    public ReadOnlyMemory<byte> Read(int position, out bool ended)
    {
        lock (_lock)
        {
            ended = _isEnded;
            return _log.AsMemory(position, _length - position);
        }
    }

    /// <summary>Completes when the log has grown past <paramref name="position"/>, ended, or was poked.</summary>
    public Task WaitAsync(int position)
    {
        lock (_lock)
        {
            if (_length > position || _isEnded) return Task.CompletedTask;
            return (_more ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Wakes the readers without an event, so that they send a comment or notice that their client left.</summary>
    public void Poke()
    {
        TaskCompletionSource? more;
        lock (_lock) (more, _more) = (_more, null);
        more?.TrySetResult();
    }

    /// <summary>Position right after the event with that sequence number; null when it is not in this log.</summary>
    public int? PositionAfter(long sequence)
    {
        lock (_lock)
        {
            if (sequence == FirstSequence - 1) return 0;
            var index = sequence - FirstSequence;
            return index >= 0 && index < _marks.Count ? _marks[(int)index].End : null;
        }
    }

    /// <summary>Every event as type and JSON data, for answers in one piece.</summary>
    public IEnumerable<(string Type, ReadOnlyMemory<byte> Data)> Events() => Marked().Select(static e => (e.Type, e.Data));

    /// <summary>Every event with the length of the text that is all it carries; 0 for other events.</summary>
    public IEnumerable<(string Type, ReadOnlyMemory<byte> Data, int TextLength)> Marked()
    {
        for (var i = 0; At(i) is { } happened; i++) yield return (happened.Type, happened.Data, happened.TextLength);
    }

    /// <summary>The event at an index counted from 0; null when it has not happened yet.</summary>
    public LoggedEvent? At(int index)
    {
        lock (_lock)
        {
            if (index >= _marks.Count) return null;
            var mark = _marks[index];
            return new(mark.Type, _log.AsMemory(mark.DataStart, mark.End - 2 - mark.DataStart), mark.End, mark.TextLength);
        }
    }

    public void AddReader() => Interlocked.Increment(ref _readers);

    public void RemoveReader()
    {
        if (Interlocked.Decrement(ref _readers) == 0 && !IsEnded) Abandoned?.Invoke();
    }

    private void Frame(string type, ReadOnlySpan<byte> data, int textLength)
    {
        Reserve(_idPrefix.Length + 20 + 8 + type.Length + 8 + data.Length + 2);
        var target = _log.AsSpan(_length);
        var at = Put(target, _idPrefix);
        (FirstSequence + _marks.Count).TryFormat(target[at..], out var digits, provider: CultureInfo.InvariantCulture);
        at += digits;
        at += Put(target[at..], "\nevent: "u8);
        at += Encoding.ASCII.GetBytes(type, target[at..]);
        at += Put(target[at..], "\ndata: "u8);
        var dataStart = _length + at;
        at += Put(target[at..], data);
        at += Put(target[at..], "\n\n"u8);
        _length += at;
        _marks.Add(new(type, dataStart, _length, textLength));
    }

    private void Reserve(int more)
    {
        var needed = _length + more;
        if (needed <= _log.Length) return;
        // Readers may hold the old array; its bytes stay as they are.
        var grown = new byte[Math.Max(needed, _log.Length * 2)];
        _log.AsSpan(0, _length).CopyTo(grown);
        _log = grown;
    }

    private static (ArrayBufferWriter<byte> Data, Utf8JsonWriter Json) NewWriter()
    {
        var data = new ArrayBufferWriter<byte>(1024);
        return (data, new Utf8JsonWriter(data, Writing));
    }

    private static int Put(Span<byte> target, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(target);
        return bytes.Length;
    }

    private readonly record struct EventMark(string Type, int DataStart, int End, int TextLength);
}

/// <summary>An event of a log.</summary>
/// <param name="Type">Its name.</param>
/// <param name="Data">One JSON object.</param>
/// <param name="End">Position right after it.</param>
/// <param name="TextLength">Length of the text that is all it carries; 0 for other events.</param>
internal readonly record struct LoggedEvent(string Type, ReadOnlyMemory<byte> Data, int End, int TextLength);
