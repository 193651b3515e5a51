using Npgsql;
using NpgsqlTypes;

namespace Flapjack.Server.Platform.Storage.Postgres;

/// <summary>Sends a unit of statements to PostgreSQL in one round trip; the server runs a batch as one transaction and commits it in groups by itself.</summary>
internal sealed class PostgresWriter(NpgsqlDataSource source, PostgresPulse pulse) : IWriter
{
    public async Task<WriteResult> WriteAsync(SqlStatement[] unit, CancellationToken cancellationToken = default)
    {
        pulse.ThrowIfSilent();
        await using var batch = source.CreateBatch();
        foreach (var statement in unit) batch.BatchCommands.Add(Command(statement));
        try
        {
            return await ExecuteAsync(batch, unit, cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.DivisionByZero && unit[0].Guards)
        {
            return new(new int[unit.Length], null, Refused: true);
        }
    }

    private static async Task<WriteResult> ExecuteAsync(NpgsqlBatch batch, SqlStatement[] unit, CancellationToken cancellationToken)
    {
        long? returned = null;
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            do
            {
                while (await reader.ReadAsync(cancellationToken)) returned = reader.GetInt64(0);
            }
            while (await reader.NextResultAsync(cancellationToken));
        }
        var affected = new int[unit.Length];
        for (var i = 0; i < affected.Length; i++) affected[i] = batch.BatchCommands[i].RecordsAffected;
        return new(affected, returned);
    }

    private static NpgsqlBatchCommand Command(SqlStatement statement)
    {
        var command = new NpgsqlBatchCommand(statement.Guards ? Guard(statement.Text) : statement.Text);
        foreach (var value in statement.Values) command.Parameters.Add(Parameter(value));
        return command;
    }

    // A batch is one round trip and knows no conditions; a division by zero undoes all of it. The lock keeps the row as the guard saw it.
    private static string Guard(string select) => $"SELECT 1 / COUNT(*) FROM ({select} FOR UPDATE) AS guard";

    public static NpgsqlParameter Parameter(SqlValue value) => new() { Value = value.Value ?? DBNull.Value, NpgsqlDbType = TypeOf(value.Type) };

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
