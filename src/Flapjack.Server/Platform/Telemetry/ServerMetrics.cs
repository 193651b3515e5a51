using System.Diagnostics.Metrics;

namespace Flapjack.Server.Platform.Telemetry;

/// <summary>The server's own numbers; <c>/metrics</c> and every other listener of .NET metrics show them.</summary>
internal sealed class ServerMetrics
{
    public const string MeterName = "Flapjack";
    private readonly UpDownCounter<long> _streams;
    private readonly Counter<long> _turns;
    private readonly Counter<long> _tokens;

    public ServerMetrics(IMeterFactory factory)
    {
        var meter = factory.Create(MeterName);
        _streams = meter.CreateUpDownCounter<long>("flapjack.streams.active", description: "Event streams that are open.");
        _turns = meter.CreateCounter<long>("flapjack.turns", description: "Turns that ended, by how.");
        _tokens = meter.CreateCounter<long>("flapjack.tokens", description: "Model tokens, by kind.");
    }

    public void StreamOpened() => _streams.Add(1);

    public void StreamClosed() => _streams.Add(-1);

    /// <summary>A turn ended: <paramref name="finish"/> is its finish reason or error code.</summary>
    public void TurnEnded(string finish) => _turns.Add(1, new KeyValuePair<string, object?>("finish", finish));

    /// <summary>Tokens one model call used.</summary>
    public void TokensUsed(long input, long output, long cacheRead = 0)
    {
        _tokens.Add(input, new KeyValuePair<string, object?>("kind", "input"));
        _tokens.Add(output, new KeyValuePair<string, object?>("kind", "output"));
        if (cacheRead > 0) _tokens.Add(cacheRead, new KeyValuePair<string, object?>("kind", "cache_read"));
    }
}
