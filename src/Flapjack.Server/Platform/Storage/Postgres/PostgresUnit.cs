using Npgsql;
using NpgsqlTypes;

namespace Flapjack.Server.Platform.Storage.Postgres;

/// <summary>Units of statements as PostgreSQL gets them: commands of a batch, which the server runs as one transaction.</summary>
internal static class PostgresUnit
{
    public static void AddTo(NpgsqlBatch batch, SqlStatement[] unit)
    {
        foreach (var statement in unit) batch.BatchCommands.Add(Command(statement));
    }

    /// <summary>Runs a batch of whole units; the results are in their order.</summary>
    public static async Task<WriteResult[]> ExecuteAsync(NpgsqlBatch batch, IReadOnlyList<SqlStatement[]> units)
    {
        var returned = new long?[units.Count];
        await using (var reader = await batch.ExecuteReaderAsync())
        {
            for (var unit = 0; unit < units.Count; unit++)
            {
                foreach (var statement in units[unit])
                {
                    if (!statement.Guards && !statement.Returns) continue;
                    while (await reader.ReadAsync()) if (statement.Returns) returned[unit] = reader.GetInt64(0);
                    await reader.NextResultAsync();
                }
            }
        }
        var (results, next) = (new WriteResult[units.Count], 0);
        for (var unit = 0; unit < units.Count; unit++)
        {
            var affected = new int[units[unit].Length];
            for (var i = 0; i < affected.Length; i++) affected[i] = batch.BatchCommands[next++].RecordsAffected;
            results[unit] = new(affected, returned[unit]);
        }
        return results;
    }

    /// <summary>True when the unit's guard found no row.</summary>
    public static bool IsRefusal(PostgresException exception, SqlStatement[] unit) => exception.SqlState == PostgresErrorCodes.DivisionByZero && unit[0].Guards;

    public static NpgsqlParameter Parameter(SqlValue value) => new() { Value = value.Value ?? DBNull.Value, NpgsqlDbType = TypeOf(value.Type) };

    private static NpgsqlBatchCommand Command(SqlStatement statement)
    {
        var command = new NpgsqlBatchCommand(statement.Guards ? Guard(statement.Text) : statement.Text);
        foreach (var value in statement.Values) command.Parameters.Add(Parameter(value));
        return command;
    }

    // A batch is one round trip and knows no conditions; a division by zero undoes all of it. The lock keeps the row as the guard saw it.
    private static string Guard(string select) => $"SELECT 1 / COUNT(*) FROM ({select} FOR UPDATE) AS guard";

    private static NpgsqlDbType TypeOf(SqlType type) => type switch
    {
        SqlType.Id => NpgsqlDbType.Uuid,
        SqlType.Integer => NpgsqlDbType.Integer,
        SqlType.Long => NpgsqlDbType.Bigint,
        SqlType.Flag => NpgsqlDbType.Boolean,
        SqlType.Number => NpgsqlDbType.Double,
        SqlType.Time => NpgsqlDbType.TimestampTz,
        SqlType.Bytes => NpgsqlDbType.Bytea,
        _ => NpgsqlDbType.Text,
    };
}
