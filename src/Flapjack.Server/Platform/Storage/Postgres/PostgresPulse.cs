using System.Diagnostics;
using Npgsql;

namespace Flapjack.Server.Platform.Storage.Postgres;

/// <summary>Knows whether PostgreSQL answers in time, so that only those who ask first wait for one that is silent or slow; everybody else is refused at once.</summary>
/// <remarks>
/// The driver waits for the statement, then for its cancellation, then for a new connection: longer than a client is promised.
/// A database that refuses connections needs no pulse: whoever asks hears so at once.
/// </remarks>
internal sealed partial class PostgresPulse(NpgsqlDataSource pulses, TimeSpan patience, ILogger<PostgresPulse> logger) : BackgroundService
{
    /// <summary>An answer to <c>SELECT 1</c> that takes longer is as good as none: a request needs several.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.5);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(0.5);
    private volatile bool _isSilent;

    /// <param name="address">As <see cref="PostgresAddress.Normalise"/> gives it.</param>
    /// <param name="patience">See <see cref="Patience"/>.</param>
    /// <param name="services">For its log.</param>
    public static PostgresPulse Of(string address, TimeSpan patience, IServiceProvider services) =>
        new(NpgsqlDataSource.Create(PostgresAddress.OfPulse(address)), patience, services.GetRequiredService<ILogger<PostgresPulse>>());

    /// <summary>Throws what counts as an outage when the latest pulse was not answered in time.</summary>
    public void ThrowIfSilent()
    {
        if (_isSilent) throw new TimeoutException("the database does not answer");
    }

    public override void Dispose()
    {
        pulses.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await FeelAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogBroken(logger, exception);
            }
            await Wait(stoppingToken);
        }
    }

    // Until the connection breaks. How long opening it takes says little: a process that just started is slow itself.
    private async Task FeelAsync(CancellationToken stoppingToken)
    {
        await using var connection = await AnswerAsync(pulses.OpenConnectionAsync(stoppingToken).AsTask());
        await using var command = new NpgsqlCommand("SELECT 1", connection);
        while (true)
        {
            var asked = command.ExecuteScalarAsync(stoppingToken);
            var isInTime = await IsInTimeAsync(asked);
            if (!isInTime) Set(isSilent: true);
            // What is late is still waited for: the driver ends it, and a connection must not be left in the middle of a statement.
            await AnswerAsync(asked);
            if (isInTime) Set(isSilent: false);
            await Wait(stoppingToken);
        }
    }

    private async Task<bool> IsInTimeAsync(Task asked)
    {
        while (true)
        {
            var since = Stopwatch.GetTimestamp();
            if (await Task.WhenAny(asked, Task.Delay(patience, CancellationToken.None)) == asked) return true;
            // A process that wakes late itself has no say in whether the database is.
            if (Stopwatch.GetElapsedTime(since) < patience * 1.5) return false;
        }
    }

    private async Task<T> AnswerAsync<T>(Task<T> asked)
    {
        try
        {
            return await asked;
        }
        catch (Exception exception)
        {
            // A refusal is an answer too, and whoever asks gets it at once.
            Set(isSilent: exception is TimeoutException or { InnerException: TimeoutException });
            throw;
        }
    }

    private void Set(bool isSilent)
    {
        if (_isSilent == isSilent) return;
        _isSilent = isSilent;
        if (isSilent) LogSilent(logger, patience.TotalSeconds);
        else LogAnswers(logger);
    }

    // Clocks of tests stand still or jump; whether a database answers is a matter of real time.
    private static async Task Wait(CancellationToken stoppingToken) => await Task.Delay(Pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    [LoggerMessage(1, LogLevel.Warning, "The database has not answered for {Seconds} s; requests that need it are refused until it does")]
    private static partial void LogSilent(ILogger logger, double seconds);

    [LoggerMessage(2, LogLevel.Information, "The database answers again")]
    private static partial void LogAnswers(ILogger logger);

    [LoggerMessage(3, LogLevel.Debug, "The connection that watches the database broke; it is opened again")]
    private static partial void LogBroken(ILogger logger, Exception exception);
}
