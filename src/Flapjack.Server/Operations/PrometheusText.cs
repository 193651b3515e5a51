using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Flapjack.Server.Operations;

/// <summary>Writes metrics in the text format of Prometheus, version 0.0.4.</summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Write(MetricStore store)
    {
        var text = new StringBuilder(8_192);
        foreach (var family in store.Families) Write(text, family);
        WriteProcess(text);
        return text.ToString();
    }

    private static void Write(StringBuilder text, MetricFamily family)
    {
        Head(text, family.Name, family.Kind.ToString().ToLowerInvariant(), family.Help);
        foreach (var (labels, value) in family.Read())
        {
            if (family.Kind != MetricKind.Histogram)
            {
                Sample(text, family.Name, labels, value.Sum);
                continue;
            }
            var more = labels.Length == 0 ? "" : labels + ",";
            for (var i = 0; i < value.Counts.Length; i++) Sample(text, family.Name + "_bucket", $"{more}le=\"{Number(MetricFamily.Buckets[i])}\"", value.Counts[i]);
            Sample(text, family.Name + "_bucket", more + "le=\"+Inf\"", value.Count);
            Sample(text, family.Name + "_sum", labels, value.Sum);
            Sample(text, family.Name + "_count", labels, value.Count);
        }
    }

    private static void WriteProcess(StringBuilder text)
    {
        using var process = Process.GetCurrentProcess();
        One(text, "process_resident_memory_bytes", "gauge", "Memory the process holds.", process.WorkingSet64);
        One(text, "process_cpu_seconds_total", "counter", "CPU time used.", process.TotalProcessorTime.TotalSeconds);
        One(text, "process_threads", "gauge", "Threads of the process.", process.Threads.Count);
        One(text, "process_start_time_seconds", "gauge", "Start of the process in Unix time.", new DateTimeOffset(process.StartTime).ToUnixTimeSeconds());
        One(text, "dotnet_gc_heap_bytes", "gauge", "Managed memory in use.", GC.GetTotalMemory(false));
        One(text, "dotnet_gc_pause_seconds_total", "counter", "Time spent in garbage collections.", GC.GetTotalPauseDuration().TotalSeconds);
        Head(text, "dotnet_gc_collections_total", "counter", "Garbage collections by generation.");
        for (var i = 0; i <= GC.MaxGeneration; i++) Sample(text, "dotnet_gc_collections_total", $"generation=\"{i}\"", GC.CollectionCount(i));
    }

    private static void One(StringBuilder text, string name, string kind, string help, double value)
    {
        Head(text, name, kind, help);
        Sample(text, name, "", value);
    }

    private static void Head(StringBuilder text, string name, string kind, string help) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(kind).Append('\n');

    private static void Sample(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
