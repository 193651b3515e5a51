using Npgsql;

namespace Flapjack.Server.Platform.Storage.Postgres;

/// <summary>Reads one row over a pooled connection; the driver prepares statements that are used often.</summary>
internal sealed class PostgresReader(NpgsqlDataSource source, PostgresPulse pulse) : IReader
{
    public async ValueTask<T?> ReadAsync<T>(SqlStatement statement, SqlMap<T> map, CancellationToken cancellationToken) where T : class
    {
        await using var command = Command(statement);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? map(new SqlRow(reader)) : null;
    }

    public async ValueTask<List<T>> ReadAllAsync<T>(SqlStatement statement, SqlMap<T> map, CancellationToken cancellationToken)
    {
        await using var command = Command(statement);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(map(new SqlRow(reader)));
        return rows;
    }

    private NpgsqlCommand Command(SqlStatement statement)
    {
        pulse.ThrowIfSilent();
        var command = source.CreateCommand(statement.Text);
        foreach (var value in statement.Values) command.Parameters.Add(PostgresUnit.Parameter(value));
        return command;
    }
}
