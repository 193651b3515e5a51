using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage.Postgres;
using Npgsql;

namespace Flapjack.Server.Platform.Signals.Postgres;

/// <summary>Hears the signals to this node over a connection of its own, and opens it again when it breaks.</summary>
internal sealed partial class SignalListener : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250), LongestPause = TimeSpan.FromSeconds(5);
    private readonly TaskCompletionSource _tried = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly NodeName _self;
    private readonly SignalHandlers _handlers;
    private readonly ILogger<SignalListener> _logger;
    private readonly string _channel;
    private readonly string _connectionString;
    private int _failures;

    public SignalListener(ServerSettings settings, NodeName self, SignalHandlers handlers, ILogger<SignalListener> logger)
    {
        (_self, _handlers, _logger) = (self, handlers, logger);
        _channel = PostgresSignals.ChannelOf(self.Value)!;
        // Its name tells other nodes, and operators, who listens. The driver asks after a connection that is silent.
        _connectionString = new NpgsqlConnectionStringBuilder(PostgresAddress.Normalise(settings.ConnectionString)) { Pooling = false, KeepAlive = 10, ApplicationName = _channel }.ConnectionString;
    }

    /// <summary>Returns when the node listens: only then may it take work that other nodes ask about. A database that refuses the connection delays the start no longer than the attempt takes.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await base.StartAsync(cancellationToken);
        await _tried.Task.WaitAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                if (_failures == 0) LogLost(_logger, exception);
            }
            _tried.TrySetResult();
            await PauseAsync(stoppingToken);
        }
    }

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        connection.Notification += (_, notification) => Hear(notification.Payload);
        await connection.OpenAsync(stoppingToken);
        await using (var listen = new NpgsqlCommand($"LISTEN {_channel}; LISTEN {PostgresSignals.Everybody}", connection)) await listen.ExecuteNonQueryAsync(stoppingToken);
        if (_failures > 0)
        {
            LogBack(_logger);
            _handlers.Missed();
        }
        _tried.TrySetResult();
        while (true)
        {
            await connection.WaitAsync(stoppingToken);
            // Only a connection over which something came is a good one.
            _failures = 0;
        }
    }

    private void Hear(string payload)
    {
        foreach (var signal in SignalPackets.Read(payload))
        {
            // What this node tells everybody comes back to it.
            if (signal.Sender != _self.Value) _handlers.Handle(signal);
        }
    }

    // The first attempt is made at once: a connection that was cut is mostly cut alone. Real time: it is a database that has to recover.
    private async Task PauseAsync(CancellationToken stoppingToken)
    {
        var pause = _failures == 0 ? TimeSpan.Zero : FirstPause * Math.Pow(2, Math.Min(_failures - 1, 5));
        _failures++;
        await Task.Delay(pause < LongestPause ? pause : LongestPause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    [LoggerMessage(1, LogLevel.Warning, "Signals of other nodes are not heard; listening is tried again until the database answers")]
    private static partial void LogLost(ILogger logger, Exception exception);

    [LoggerMessage(2, LogLevel.Information, "Signals of other nodes are heard again")]
    private static partial void LogBack(ILogger logger);
}
