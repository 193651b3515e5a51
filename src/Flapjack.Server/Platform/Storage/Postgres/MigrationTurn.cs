using Npgsql;

namespace Flapjack.Server.Platform.Storage.Postgres;

/// <summary>Lets nodes that start together bring the schema up one after the other. EF Core's own lock ends with each migration's transaction, so a second node could slip in between two of them.</summary>
internal sealed class MigrationTurn : IAsyncDisposable
{
    // Any number will do, as long as every version takes the same.
    private const string TakeText = "SELECT pg_advisory_lock(7265374812)";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private readonly NpgsqlConnection _connection;

    private MigrationTurn(NpgsqlConnection connection) => _connection = connection;

    public static async Task<MigrationTurn> TakeAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand(TakeText, connection) { CommandTimeout = (int)Patience.TotalSeconds };
            await command.ExecuteNonQueryAsync(cancellationToken);
            return new(connection);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>The lock belongs to the session, whose state is discarded when the connection goes back to its pool.</summary>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
