using System.Buffers;

namespace Flapjack.Server.Platform.Http;

/// <summary>A reader's place in an <see cref="EventLog"/>, and the form in which it is given the events: here as they are.</summary>
internal class EventCursor(EventLog log, int position)
{
    private static readonly byte[] RevokedEvent = "event: error\ndata: {\"code\":\"UNAUTHORIZED\",\"detail\":\"the credential was revoked\"}\n\n"u8.ToArray();
    private int _position = position;

    public EventLog Log => log;

    /// <summary>What to send to a listener whose credential was revoked.</summary>
    public virtual ReadOnlyMemory<byte> Revoked => RevokedEvent;

    /// <summary>What is new. The bytes stay valid until the next call.</summary>
    /// <param name="ended">True when nothing can follow what is returned.</param>
    public virtual ReadOnlyMemory<byte> Read(out bool ended)
    {
        var events = log.Read(_position, out ended);
        _position += events.Length;
        return events;
    }

    /// <summary>Completes when there may be more to read.</summary>
    public virtual Task WaitAsync() => log.WaitAsync(_position);
}

/// <summary>Says events in the words of another protocol. One instance serves one reader and sees every event from the first, in order.</summary>
internal interface IEventTranslation
{
    /// <summary>Writes what the event is there, which may be nothing.</summary>
    void Write(string type, ReadOnlyMemory<byte> data, IBufferWriter<byte> output);
}

/// <summary>Gives a log from its first event in another protocol.</summary>
internal sealed class TranslatedEvents(EventLog log, IEventTranslation translation) : EventCursor(log, 0)
{
    private readonly ArrayBufferWriter<byte> _output = new(512);
    private int _next;
    private int _read;

    public override ReadOnlyMemory<byte> Revoked => Translate(() => translation.Write("error", """{"code":"UNAUTHORIZED","detail":"the credential was revoked"}"""u8.ToArray(), _output));

    public override ReadOnlyMemory<byte> Read(out bool ended)
    {
        // Asked before the look: what is there afterwards is then all there is.
        ended = Log.IsEnded;
        return Translate(() =>
        {
            for (; Log.At(_next) is { } happened; _next++)
            {
                translation.Write(happened.Type, happened.Data, _output);
                _read = happened.End;
            }
        });
    }

    public override Task WaitAsync() => Log.WaitAsync(_read);

    private ReadOnlyMemory<byte> Translate(Action write)
    {
        _output.ResetWrittenCount();
        write();
        return _output.WrittenMemory;
    }
}
