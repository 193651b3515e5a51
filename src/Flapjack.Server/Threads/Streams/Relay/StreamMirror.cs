using System.Buffers;
using System.Text;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Signals;

namespace Flapjack.Server.Threads.Streams.Relay;

/// <summary>A stream of another node as it arrives here, for those who listen here. It shows whole events only.</summary>
/// <remarks>Bytes are counted, so nothing can be missing or come twice: what does not follow is asked for again.</remarks>
internal sealed class StreamMirror(string owner, StreamSource source, StreamPick pick, ISignals signals, TimeProvider time)
{
    /// <summary>Often enough that the owner never waits.</summary>
    private const int ConfirmEvery = 64 * 1024;
    private readonly Lock _lock = new();
    private readonly ArrayBufferWriter<byte> _begun = new();
    private readonly TaskCompletionSource<LiveTurn?> _found = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LiveTurn? _copy;
    private int _position;
    private int _confirmed;
    private int _unheard;
    private bool _askedAgain;

    public Guid Id { get; } = Ids.New();

    public StreamSource Source => source;

    /// <summary>How many listen here; kept by <see cref="StreamMirrors"/>.</summary>
    public int Listeners { get; set; }

    /// <summary>The copy, as soon as the owner has answered; null when the owner does not have the stream.</summary>
    public Task<LiveTurn?> Found => _found.Task;

    /// <summary>True when one more who wants this stream may listen here too.</summary>
    public bool Serves(StreamSource wanted, StreamPick wish)
    {
        lock (_lock)
        {
            if (wanted != source || _copy is { IsBroken: true }) return false;
            // An ended stream may not be the newest any more.
            return wish == pick ? _copy is not { IsEnded: true } || pick != StreamPick.Latest : _copy is { } copy && wish != StreamPick.Latest && wish.Fits(copy);
        }
    }

    public void Listen(ListenWish wish)
    {
        lock (_lock) Say(wish);
    }

    public void Hear(EventsNote note)
    {
        lock (_lock)
        {
            _unheard = 0;
            if (note.First == 0) Lose();
            else if (_copy is not { IsEnded: true }) Take(note);
        }
    }

    /// <summary>Counts a round in which nothing was heard of the owner; returns how many there were.</summary>
    public int CountUnheard()
    {
        lock (_lock)
        {
            _askedAgain = false;
            return ++_unheard;
        }
    }

    /// <summary>Nothing more will come: whoever listens is cut off.</summary>
    public void Break()
    {
        lock (_lock) Lose();
    }

    public void Leave()
    {
        if (_copy is not { IsEnded: true }) signals.Send(owner, RelayText.LeaveTopic, Id.ToString("N"));
    }

    private void Take(EventsNote note)
    {
        _copy ??= new LiveTurn(source.Turn, source.Org, source.Thread, note.First);
        var bytes = Encoding.UTF8.GetBytes(note.Text);
        var known = _position - note.Offset;
        if (known < 0 && !_askedAgain) Say(ListenWish.Again);
        _askedAgain |= known < 0;
        if (known < 0) return;
        if (known < bytes.Length) Append(_copy, bytes.AsSpan(known));
        if (note.IsEnd && _position == note.Offset + bytes.Length) _copy.End(time.Now());
        else if (_position - _confirmed >= ConfirmEvery) Say(ListenWish.None);
        _found.TrySetResult(_copy);
    }

    private void Append(LiveTurn copy, ReadOnlySpan<byte> bytes)
    {
        _askedAgain = false;
        _position += bytes.Length;
        _begun.Write(bytes);
        var whole = _begun.WrittenSpan.LastIndexOf("\n\n"u8) + 2;
        if (whole < 2) return;
        copy.AppendCopy(_begun.WrittenSpan[..whole]);
        var rest = _begun.WrittenSpan[whole..].ToArray();
        _begun.ResetWrittenCount();
        _begun.Write(rest);
    }

    private void Lose()
    {
        if (_copy is { IsEnded: false } copy) copy.Break(time.Now());
        _found.TrySetResult(null);
    }

    private void Say(ListenWish wish)
    {
        _confirmed = _position;
        // Once the stream is known it is named exactly: what was the newest may not be any more.
        var which = _copy is { } copy ? StreamPick.StartingAt(copy.FirstSequence) : pick;
        signals.Send(owner, ListenNote.Topic, new ListenNote(Id, source.Turn, source.Org, which, _position, wish).ToString());
    }
}

/// <summary>Whose stream it is.</summary>
internal readonly record struct StreamSource(Guid Turn, Guid Org, Guid Thread);
