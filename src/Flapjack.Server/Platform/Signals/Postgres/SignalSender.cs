using System.Threading.Channels;
using Npgsql;
using NpgsqlTypes;

namespace Flapjack.Server.Platform.Signals.Postgres;

/// <summary>Sends signals in their order: one at once, and those that come while it is under way together in the next statement.</summary>
internal sealed partial class SignalSender(NpgsqlDataSource source, ILogger<SignalSender> logger) : BackgroundService
{
    private const int MaxWaiting = 10_000, MaxPayloads = 64;
    private readonly Channel<(string Channel, string Signal)> _waiting = Channel.CreateBounded<(string, string)>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private bool _isFailing;
    private bool _isFull;

    public void Enqueue(string channel, string signal)
    {
        var taken = _waiting.Writer.TryWrite((channel, signal));
        if (!taken && !_isFull) LogFull(logger, MaxWaiting);
        _isFull = !taken;
    }

    // What was said before the stop is still sent.
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        _waiting.Writer.TryComplete();
        return base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var packets = new SignalPackets();
        while (await _waiting.Reader.WaitToReadAsync(CancellationToken.None))
        {
            while (packets.Count < MaxPayloads && _waiting.Reader.TryRead(out var next)) packets.Add(next.Channel, next.Signal);
            var (channels, payloads) = packets.Take();
            try
            {
                await SendAsync(channels, payloads);
                _isFailing = false;
            }
            catch (Exception exception)
            {
                if (stoppingToken.IsCancellationRequested) return;
                if (!_isFailing) LogFailed(logger, exception);
                _isFailing = true;
            }
        }
    }

    private async Task SendAsync(string[] channels, string[] payloads)
    {
        await using var command = source.CreateCommand("SELECT pg_notify(channel, payload) FROM unnest($1, $2) AS signals (channel, payload)");
        command.Parameters.Add(new() { Value = channels, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = payloads, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        await command.ExecuteNonQueryAsync();
    }

    [LoggerMessage(1, LogLevel.Warning, "Signals to other nodes cannot be sent; they are dropped until the database answers")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    [LoggerMessage(2, LogLevel.Warning, "More than {Waiting} signals to other nodes wait to be sent; new ones are dropped")]
    private static partial void LogFull(ILogger logger, int waiting);
}
