using Flapjack.Runtime.Tools;
using Flapjack.Server.Integrations;
using Flapjack.Server.Integrations.Postgres;
using Flapjack.Server.Platform.Egress;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Integrations;

/// <summary>What a customer's database may take of this server, and this server of it.</summary>
public sealed class DatabaseLimitTests(IntegrationWorld world) : IClassFixture<IntegrationWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Queries_at_once_share_four_connections_and_the_surplus_hears_that_the_database_is_busy()
    {
        IntegrationWorld.Require();
        var limits = new DatabaseLimits { Connect = TimeSpan.FromSeconds(2) };
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
}
