using Npgsql;

namespace Flapjack.Server.Platform.Storage.Postgres;

/// <summary>The connection for groups of units. It waits for a lock only shortly, so that what holds one unit up does not hold up the others.</summary>
internal sealed class PostgresGroups(string address) : IAsyncDisposable
{
    public NpgsqlDataSource Source { get; } = Build(PostgresAddress.OfGroups(address));

    public ValueTask DisposeAsync() => Source.DisposeAsync();

    // By a statement, each time a connection is opened: poolers refuse or drop what is asked for in the startup packet.
    private static NpgsqlDataSource Build(string address)
    {
        var builder = new NpgsqlDataSourceBuilder(address);
        builder.UsePhysicalConnectionInitializer(
            static connection =>
            {
                using var command = ShortLocks(connection);
                command.ExecuteNonQuery();
            },
            static async connection =>
            {
                await using var command = ShortLocks(connection);
                await command.ExecuteNonQueryAsync();
            });
        return builder.Build();
    }

    private static NpgsqlCommand ShortLocks(NpgsqlConnection connection) => new("SET lock_timeout = '10ms'", connection);
}
