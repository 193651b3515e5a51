using System.Text;

namespace Flapjack.Server.Platform.Signals;

/// <summary>Signals packed into payloads that a notification can carry: as many as fit, in their order.</summary>
internal sealed class SignalPackets
{
    /// <summary>A notification of PostgreSQL carries less than 8000 bytes.</summary>
    private const int MaxBytes = 7_900;
    private const char EndOfSignal = '\x1e', EndOfField = '\x1f';

    private readonly List<string> _channels = [];
    private readonly List<string> _payloads = [];
    private readonly Dictionary<string, Open> _open = new(StringComparer.Ordinal);

    /// <summary>Writes a signal as it travels.</summary>
    public static string Write(Signal signal)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Encoding.UTF8.GetByteCount(signal.Body), ISignals.MaxBody);
        return $"{signal.Topic}{EndOfField}{signal.Sender}{EndOfField}{signal.Body}";
    }

    /// <summary>The signals of a payload.</summary>
    public static IEnumerable<Signal> Read(string payload) =>
        from text in payload.Split(EndOfSignal)
        let fields = text.Split(EndOfField, 3)
        where fields.Length == 3
        select new Signal(fields[0], fields[1], fields[2]);

    /// <summary>Payloads that are full.</summary>
    public int Count => _payloads.Count;

    public void Add(string channel, string signal)
    {
        var bytes = Encoding.UTF8.GetByteCount(signal) + 1;
        if (!_open.TryGetValue(channel, out var open)) _open[channel] = open = new();
        if (open.Bytes + bytes > MaxBytes) Close(channel, open);
        if (open.Text.Length > 0) open.Text.Append(EndOfSignal);
        open.Text.Append(signal);
        open.Bytes += bytes;
    }

    /// <summary>Everything that was added, and an empty packet again.</summary>
    public (string[] Channels, string[] Payloads) Take()
    {
        foreach (var (channel, open) in _open) Close(channel, open);
        var taken = (_channels.ToArray(), _payloads.ToArray());
        _channels.Clear();
        _payloads.Clear();
        _open.Clear();
        return taken;
    }

    private void Close(string channel, Open open)
    {
        if (open.Bytes == 0) return;
        _channels.Add(channel);
        _payloads.Add(open.Text.ToString());
        open.Text.Clear();
        open.Bytes = 0;
    }

    private sealed class Open
    {
        public readonly StringBuilder Text = new();
        public int Bytes;
    }
}
