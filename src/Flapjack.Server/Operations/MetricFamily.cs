using System.Collections.Concurrent;
using System.Globalization;

namespace Flapjack.Server.Operations;

internal enum MetricKind { Counter, Gauge, Histogram }

/// <summary>All series of one metric. Tags become labels as listed; every other tag is dropped, which bounds the number of series. Recording allocates nothing once a series exists.</summary>
internal sealed record MetricFamily(string Name, string Help, MetricKind Kind, (string Tag, string Label)[] Tags)
{
    private const int LongestLabel = 120;

    /// <summary>Upper bounds in seconds: from a cached read to a long stream.</summary>
    public static readonly double[] Buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

    private readonly ConcurrentDictionary<string, Series> _series = new(StringComparer.Ordinal);

    /// <summary>Series by their labels as Prometheus spells them, without braces.</summary>
    public IEnumerable<(string Labels, Snapshot Value)> Read() =>
        _series.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => (s.Key, s.Value.Read()));

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Span<char> buffer = stackalloc char[512];
        var labels = Labels(buffer, tags);
        var lookup = _series.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!lookup.TryGetValue(labels, out var series)) series = _series.GetOrAdd(labels.ToString(), static (_, kind) => new Series(kind), Kind);
        series.Record(value);
    }

    private ReadOnlySpan<char> Labels(Span<char> buffer, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var length = 0;
        foreach (var (tag, label) in Tags)
        {
            foreach (var (name, value) in tags)
            {
                if (name != tag) continue;
                if (length > 0) buffer[length++] = ',';
                label.CopyTo(buffer[length..]);
                length += label.Length;
                "=\"".CopyTo(buffer[length..]);
                length += 2;
                length += Append(buffer[length..], value);
                buffer[length++] = '"';
            }
        }
        return buffer[..length];
    }

    private static int Append(Span<char> target, object? value)
    {
        target = target[..Math.Min(target.Length, LongestLabel)];
        int written;
        if (value is ISpanFormattable number) number.TryFormat(target, out written, default, CultureInfo.InvariantCulture);
        else
        {
            var text = (value as string ?? "").AsSpan();
            text = text[..Math.Min(text.Length, target.Length)];
            text.CopyTo(target);
            written = text.Length;
        }
        var escaped = target[..written];
        escaped.Replace('"', '_');
        escaped.Replace('\\', '_');
        escaped.Replace('\n', '_');
        return written;
    }

    /// <summary>A series at one moment; <see cref="Counts"/> are the cumulative bucket counts of a histogram.</summary>
    internal readonly record struct Snapshot(double Sum, long Count, long[] Counts);

    private sealed class Series(MetricKind kind)
    {
        private readonly long[] _counts = kind == MetricKind.Histogram ? new long[Buckets.Length] : [];
        private readonly Lock _lock = new();
        private double _sum;
        private long _count;

        public void Record(double value)
        {
            lock (_lock)
            {
                _sum += value;
                _count++;
                for (var i = _counts.Length - 1; i >= 0 && value <= Buckets[i]; i--) _counts[i]++;
            }
        }

        public Snapshot Read()
        {
            lock (_lock) return new(_sum, _count, [.. _counts]);
        }
    }
}
