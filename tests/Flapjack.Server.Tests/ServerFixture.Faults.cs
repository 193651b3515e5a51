using Flapjack.Server.Platform.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests;

/// <summary>What goes wrong around a server, and what tests wait for.</summary>
public sealed partial class ServerFixture
{
    /// <summary>Makes every access to the database fail.</summary>
    public Task BreakDatabaseAsync() => _database!.BreakAsync();

    public Task RepairDatabaseAsync() => _database!.RepairAsync();

    /// <summary>Waits until so many requests run in the server.</summary>
    public async Task WaitForRunningRequestsAsync(int count)
    {
        var running = Services.GetRequiredService<RunningRequests>();
        var deadline = Environment.TickCount64 + 30_000;
        while (running.Count != count)
        {
            if (Environment.TickCount64 > deadline) throw new TimeoutException($"{running.Count} requests run, not {count}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }
}
