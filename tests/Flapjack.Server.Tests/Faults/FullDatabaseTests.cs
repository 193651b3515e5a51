using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Faults;

/// <summary>A database that takes no rows at the moment.</summary>
public sealed class FullDatabaseTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_change_that_finds_no_room_is_no_conflict_and_not_tried_again()
    {
        var full = new FullDisk();
        await using var world = await TurnWorld.StartAsync(settings => settings["Network:AllowedHosts:0"] = "loopback", services => services.ConfigureDbContext<FlapjackDb>(options => options.AddInterceptors(full)));
        var agent = await world.Server.CreateAgentAsync();
        var integration = await world.PostAsync("/api/integrations", new { name = "CRM", kind = "postgres", connectionString = "postgresql://u:p@127.0.0.1:1/db" }).ShouldBe(201);
        full.IsFull = true;
        Task<HttpResponseMessage>[] changes =
        [
            world.Server.Client.PutAsync("/api/providers/brave", TurnWorld.Body(new { apiKey = "k" }), Token),
            world.Server.Client.PutAsync($"/api/agents/{agent}/web", TurnWorld.Body(new { enabled = true }), Token),
            world.PostAsync($"/api/agents/{agent}/publish", new { slug = "ada" }),
            world.PostAsync($"/api/agents/{agent}/integrations", new { integrationId = integration.Text("id") }),
        ];
        foreach (var change in changes) await change.ShouldBeError(503, "SERVICE_UNAVAILABLE");
        full.Refused.ShouldBe(changes.Length);
    }

    private sealed class FullDisk : SaveChangesInterceptor
    {
        private int _refused;

        public bool IsFull { get; set; }

        public int Refused => _refused;

        public override ValueTask<InterceptionResult<int>> SavingChangesAsync(DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            if (!IsFull) return new(result);
            Interlocked.Increment(ref _refused);
            throw new DbUpdateException("An error occurred while saving.", new SqliteException("database or disk is full", 13));
        }
    }
}
