using Flapjack.Server.Platform.Storage.Postgres;
using Npgsql;

namespace Flapjack.Server.Tests.Platform;

/// <summary>The connection for groups of units waits for locks only shortly, also behind a pooler.</summary>
public sealed class PostgresGroupsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Nothing_is_asked_for_in_the_startup_packet_that_a_pooler_would_refuse() =>
        new NpgsqlConnectionStringBuilder(PostgresAddress.OfGroups("Host=db;Database=flapjack")).Options.ShouldBeNull();

    [Fact]
    public async Task Locks_are_waited_for_shortly_on_every_connection_for_as_long_as_it_lives()
    {
        Assert.SkipUnless(TestDatabase.IsPostgres, "a connection of PostgreSQL");
        await using var database = await TestDatabase.CreateAsync("", empty: true);
        await using var groups = new PostgresGroups(database.ConnectionString);
        var (first, timeout) = await AskAsync(groups);
        timeout.ShouldBe("10ms");
        (await AskAsync(groups)).ShouldBe((first, "10ms"), "taken from the pool again");

        await using var other = NpgsqlDataSource.Create(database.ConnectionString);
        await using (var command = other.CreateCommand($"SELECT pg_terminate_backend({first})")) await command.ExecuteNonQueryAsync(Token);
        await Should.ThrowAsync<NpgsqlException>(() => AskAsync(groups));
        var (second, again) = await AskAsync(groups);
        again.ShouldBe("10ms");
        second.ShouldNotBe(first);
    }

    private static async Task<(int Backend, string LockTimeout)> AskAsync(PostgresGroups groups)
    {
        await using var command = groups.Source.CreateCommand("SELECT pg_backend_pid(), current_setting('lock_timeout')");
        await using var reader = await command.ExecuteReaderAsync(Token);
        await reader.ReadAsync(Token);
        return (reader.GetInt32(0), reader.GetString(1));
    }
}
