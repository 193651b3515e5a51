using Flapjack.Runtime.Tools;
using Flapjack.Server.Integrations;
using Flapjack.Server.Integrations.Postgres;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Flapjack.Server.Tests.Integrations;

/// <summary>What a customer's database may take of this server, and this server of it.</summary>
public sealed class DatabaseLimitTests(IntegrationWorld world) : IClassFixture<IntegrationWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Queries_at_once_share_four_connections_and_the_surplus_hears_that_the_database_is_busy()
    {
        IntegrationWorld.Require();
        var limits = new DatabaseLimits { Connect = TimeSpan.FromSeconds(5) };
        await using var pools = new DatabasePools(world.Server.Services.GetRequiredService<EgressGuard>(), limits, TimeProvider.System);
        var queries = new TableQueries(pools, limits);
        var (integration, address) = (Guid.NewGuid(), DatabaseAddress.Parse(world.Url).Address!);
        var column = new DatabaseColumn("nap", "text", true, false, null, ColumnForm.Text);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var running = Enumerable.Range(0, 9).Select(_ => queries.RowsAsync(integration, address, new DatabaseTable("public", "slow", null, [column]), new([column], [], [], 10, 0), enough.Token)).ToList();
        while (running.Count > limits.Connections)
        {
            var refused = await Task.WhenAny(running);
            running.Remove(refused);
            var fault = await Should.ThrowAsync<ToolException>(refused);
            (fault.Code, fault.Detail).ShouldBe((ToolErrors.Timeout, "the database is busy with other queries of this integration"));
        }
        (await world.AskCustomerAsync($"SELECT count(*) FROM pg_stat_activity WHERE usename = '{world.Reader}'")).ShouldBe(4L);
        await enough.CancelAsync();
        foreach (var query in running) await Should.ThrowAsync<OperationCanceledException>(query);
    }

    [Fact]
    public async Task A_schema_that_is_too_large_is_an_error_and_not_held()
    {
        IntegrationWorld.Require();
        await using var small = await TurnWorld.StartAsync(settings => settings["Network:AllowedHosts:0"] = "loopback", services => services.Replace(ServiceDescriptor.Singleton(new DatabaseLimits { SchemaCharacters = 300 })));
        var created = await small.PostAsync("/api/integrations", new { name = "Big", kind = "postgres", connectionString = world.Url }).ShouldBe(201);
        (created.Text("status"), created.Text("last_error")).ShouldBe(("error", "CONNECT_FAILED: the schemas are too large to be read; name fewer of them, or let the role read fewer tables"));
        // Two columns of one table: what they share is counted once.
        (await small.PostAsync("/api/integrations", new { name = "Small", kind = "postgres", connectionString = world.Url, schemas = new[] { "sales" } }).ShouldBe(201)).Text("status").ShouldBe("active");
    }
}
