using System.Text;
using Flapjack.Server.Platform.Signals;

namespace Flapjack.Server.Threads.Streams.Relay;

/// <summary>Sends a stream of this node to one other node, no further ahead than that node has confirmed. To the stream it is one reader.</summary>
internal sealed class StreamRelay(Guid id, string reader, LiveTurn stream, int position, ISignals signals)
{
    /// <summary>Bytes on their way at most: enough to keep the line full, little enough for a node that has stopped to take.</summary>
    private const int Window = 256 * 1024;
    private readonly Lock _lock = new();
    private TaskCompletionSource _nudge = New();
    private int _sent = position;
    private int _confirmed = position;
    private int _unheard;
    private bool _wantsWord = true;
    private bool _hasLeft;

    /// <summary>Sends until everything is sent or nobody listens.</summary>
    public async Task RunAsync()
    {
        stream.AddReader();
        try
        {
            while (await StepAsync()) { }
        }
        finally
        {
            stream.RemoveReader();
        }
    }

    public void Hear(ListenNote note)
    {
        lock (_lock)
        {
            _unheard = 0;
            _confirmed = Math.Max(_confirmed, note.Position);
            if (note.Wish == ListenWish.Again) _sent = note.Position;
            if (note.Wish == ListenWish.Word) _wantsWord = true;
            _nudge.TrySetResult();
        }
    }

    public void Leave()
    {
        lock (_lock)
        {
            _hasLeft = true;
            _nudge.TrySetResult();
        }
    }

    /// <summary>Counts a round in which nothing was heard of the reader; returns how many there were.</summary>
    public int CountUnheard() => Interlocked.Increment(ref _unheard);

    private async Task<bool> StepAsync()
    {
        Task nudged, grown;
        lock (_lock)
        {
            if (_hasLeft) return false;
            if (_nudge.Task.IsCompleted) _nudge = New();
            nudged = _nudge.Task;
            var bytes = stream.Read(_sent, out var ended);
            var room = Math.Min(Window - (_sent - _confirmed), EventsNote.MaxText);
            if (_wantsWord || ended || (bytes.Length > 0 && room > 0))
            {
                var piece = bytes.Span[..WholeCharacters(bytes.Span, Math.Max(room, 0))];
                var isEnd = ended && piece.Length == bytes.Length;
                // What broke off must not look complete on the other node either.
                var breaksOff = isEnd && stream.IsBroken;
                if (_wantsWord || isEnd || piece.Length > 0) Send(piece, isEnd && !breaksOff);
                if (breaksOff) signals.Send(reader, EventsNote.Topic, EventsNote.Unknown(id).ToString());
                if (isEnd) return false;
                if (piece.Length > 0) return true;
            }
            // With the window full only the reader can help.
            grown = bytes.Length > 0 ? nudged : stream.WaitAsync(_sent);
        }
        await Task.WhenAny(nudged, grown);
        return true;
    }

    private void Send(ReadOnlySpan<byte> piece, bool isEnd)
    {
        signals.Send(reader, EventsNote.Topic, new EventsNote(id, stream.FirstSequence, _sent, isEnd, Encoding.UTF8.GetString(piece)).ToString());
        _sent += piece.Length;
        _wantsWord = false;
    }

    /// <summary>The most bytes up to <paramref name="most"/> that do not cut a character.</summary>
    private static int WholeCharacters(ReadOnlySpan<byte> bytes, int most)
    {
        if (bytes.Length <= most) return bytes.Length;
        while (most > 0 && (bytes[most] & 0xC0) == 0x80) most--;
        return most;
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
