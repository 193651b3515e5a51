using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Flapjack.Server.Platform.Lifetime;

/// <summary>Says in one line of the log what runs where.</summary>
internal sealed partial class StartupLine(IServer server, ServerSettings settings, ILogger<StartupLine> logger) : IHostedLifecycleService
{
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        LogStarted(logger, RequestIds.Version, string.Join(", ", addresses), settings.UsesPostgres ? "PostgreSQL" : "SQLite", settings.DataDirectory);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(1, LogLevel.Information, "Flapjack {Version} listens on {Addresses}; database {Database}, data in {DataDirectory}")]
    private static partial void LogStarted(ILogger logger, string version, string addresses, string database, string dataDirectory);
}
