using Flapjack.Server.Platform.Storage.Postgres;
using Flapjack.Server.Tests.Processes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Flapjack.Server.Tests.Platform;

public sealed class ContextConnectionsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_connection_that_broke_while_a_statement_was_prepared_harms_no_later_statement()
    {
        Assert.SkipUnless(TestDatabase.IsPostgres, "a test of PostgreSQL");
        await using var home = await ServerHome.CreateAsync();
        var address = new NpgsqlConnectionStringBuilder(home.ConnectionString);
        await using var relay = new DatabaseRelay(address.Host!, address.Port);
        (address.Host, address.Port) = ("127.0.0.1", relay.Port);
        await using var source = NpgsqlDataSource.Create(PostgresAddress.Normalise(address.ConnectionString));
        using var pulse = new PostgresPulse(source, PostgresPulse.Patience, NullLogger<PostgresPulse>.Instance);
        var options = new DbContextOptionsBuilder<DbContext>().UseNpgsql(source).AddInterceptors(new ContextConnections(pulse)).Options;
        var contexts = new PooledDbContextFactory<DbContext>(options);

        (await AskAsync(contexts)).ShouldBe([1, 2]);
        relay.Stop();
        // The second use prepares, and its connection is gone.
        await Should.ThrowAsync<Exception>(() => AskAsync(contexts));
        relay.Resume();
        for (var use = 0; use < 4; use++) (await AskAsync(contexts)).ShouldBe([1, 2]);
    }

    private static async Task<int[]> AskAsync(PooledDbContextFactory<DbContext> contexts)
    {
        await using var context = await contexts.CreateDbContextAsync(Token);
        return await context.Database.SqlQuery<int>($"SELECT * FROM (VALUES (1), (2)) AS rows").ToArrayAsync(Token);
    }
}
