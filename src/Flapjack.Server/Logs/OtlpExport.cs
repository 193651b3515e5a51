using System.Diagnostics;
using System.Threading.Channels;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Flapjack.Server.Logs;

/// <summary>Sends finished turns to an OpenTelemetry collector by the conventions for generative AI. Without <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> it does nothing.</summary>
/// <remarks>Not a <see cref="BackgroundService"/>: that one never runs when the host stops before the thread pool came to start it, and what was queued would be lost.</remarks>
internal sealed partial class OtlpExport(ServerSettings settings, ILogger<OtlpExport> logger) : IHostedService, IDisposable
{
    private const string SourceName = "Flapjack.Turns";
    private readonly Channel<TurnTrace>? _queue = settings.Otlp is null ? null
        : Channel.CreateBounded<TurnTrace>(new BoundedChannelOptions(1_000) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ActivitySource _source = new(SourceName, RequestIds.Version);
    private Task _sending = Task.CompletedTask;

    /// <summary>Queues a turn and returns at once. When the collector is too slow, turns are left out.</summary>
    public void Export(TurnTrace trace) => _queue?.Writer.TryWrite(trace);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (_queue is not null) _sending = Task.Run(() => SendAsync(_queue.Reader), CancellationToken.None);
        return Task.CompletedTask;
    }

    // Turns that end while the server stops are still queued, so the end of the queue ends the sending, not a token.
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _queue?.Writer.TryComplete();
        return _sending.WaitAsync(cancellationToken);
    }

    public void Dispose() => _source.Dispose();

    private async Task SendAsync(ChannelReader<TurnTrace> queue)
    {
        using var provider = Sdk.CreateTracerProviderBuilder()
            .AddSource(SourceName)
            .SetSampler(new AlwaysOnSampler())
            .ConfigureResource(resource => resource.AddService("flapjack", serviceVersion: RequestIds.Version))
            .AddOtlpExporter(options => Configure(options, settings.Otlp!))
            .Build();
        await foreach (var trace in queue.ReadAllAsync(CancellationToken.None))
        {
            try
            {
                Write(trace);
            }
            catch (Exception exception)
            {
                LogFailed(logger, exception, trace.Id);
            }
        }
        provider.Shutdown(5_000);
    }

    private static void Configure(OtlpExporterOptions options, OtlpSettings otlp)
    {
        var http = otlp.Protocol == "http/protobuf";
        options.Protocol = http ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        options.Endpoint = http ? new Uri(otlp.Endpoint.AbsoluteUri.TrimEnd('/') + "/v1/traces") : otlp.Endpoint;
        if (otlp.Headers is not null) options.Headers = otlp.Headers;
        options.BatchExportProcessorOptions.MaxQueueSize = 8_192;
        options.BatchExportProcessorOptions.ScheduledDelayMilliseconds = 1_000;
    }

    private void Write(TurnTrace trace)
    {
        var root = new ActivityContext(ActivityTraceId.CreateFromBytes(trace.Id.ToByteArray(bigEndian: true)), default, ActivityTraceFlags.Recorded);
        var contexts = new Dictionary<Guid, ActivityContext>();
        using var turn = Start($"invoke_agent {trace.AgentName}", ActivityKind.Internal, root, trace.StartedAt);
        if (turn is null) return;
        GenAiTags.Root(turn, trace, settings.Logs.CaptureContent);
        foreach (var span in ParentsFirst(trace))
        {
            var parent = span.ParentId is { } id && contexts.TryGetValue(id, out var known) ? known : turn.Context;
            using var activity = Start(GenAiTags.NameOf(span), span.Kind == "llm" ? ActivityKind.Client : ActivityKind.Internal, parent, span.StartedAt);
            if (activity is null) continue;
            contexts[span.Id] = activity.Context;
            GenAiTags.Of(activity, span, trace, settings.Logs.CaptureContent);
            activity.SetEndTime(span.EndedAt);
        }
        turn.SetEndTime(trace.EndedAt);
    }

    // Neither times nor ids put a child that began in its parent's millisecond behind it.
    private static IEnumerable<TurnSpan> ParentsFirst(TurnTrace trace)
    {
        var known = trace.Spans.Select(s => s.Id).ToHashSet();
        var children = trace.Spans.OrderBy(s => s.StartedAt).ThenBy(s => s.Id).ToLookup(s => s.ParentId is { } parent && known.Contains(parent) ? parent : Guid.Empty);
        return Below(Guid.Empty);

        IEnumerable<TurnSpan> Below(Guid parent) => children[parent].SelectMany(span => Below(span.Id).Prepend(span));
    }

    private Activity? Start(string name, ActivityKind kind, ActivityContext parent, DateTime start) => _source.StartActivity(name, kind, parent, startTime: new DateTimeOffset(start, TimeSpan.Zero));

    [LoggerMessage(1, LogLevel.Warning, "Trace {TraceId} could not be exported")]
    private static partial void LogFailed(ILogger logger, Exception exception, Guid traceId);
}
