using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Flapjack.Server.Platform.Telemetry;

namespace Flapjack.Server.Operations;

/// <summary>Adds up what this server measures, in the shape Prometheus asks for.</summary>
internal sealed class MetricStore : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);

    public MetricStore(IMeterFactory factory)
    {
        // Meters of the process are seen by every listener in it; the scope says that one belongs to this server.
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, factory) && FamilyOf(instrument) is { } family) listener.EnableMeasurementEvents(instrument, _families.GetOrAdd(family.Name, family));
        };
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.Start();
    }

    public IEnumerable<MetricFamily> Families => _families.Values.OrderBy(f => f.Name, StringComparer.Ordinal);

    public void Dispose() => _listener.Dispose();

    private static MetricFamily? FamilyOf(Instrument instrument) => instrument switch
    {
        { Meter.Name: "Microsoft.AspNetCore.Hosting", Name: "http.server.request.duration" } => new(
            "http_server_request_duration_seconds", "How long requests took.", MetricKind.Histogram,
            [("http.request.method", "method"), ("http.route", "route"), ("http.response.status_code", "status")]),
        { Meter.Name: ServerMetrics.MeterName } => new(
            instrument.Name.Replace('.', '_') + (instrument is Counter<long> ? "_total" : ""), instrument.Description ?? "",
            instrument is Counter<long> ? MetricKind.Counter : MetricKind.Gauge, [("finish", "finish"), ("kind", "kind")]),
        _ => null,
    };
}
