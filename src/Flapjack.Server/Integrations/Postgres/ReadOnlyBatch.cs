using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Flapjack.Server.Integrations.Postgres;

/// <summary>One query in a read-only transaction with time limits, sent in one go.</summary>
/// <remarks>Each part is a statement of its own in the extended protocol, which takes exactly one, so nothing can be stacked onto a query. Parameters are positional: the driver neither parses nor rewrites the text.</remarks>
internal static class ReadOnlyBatch
{
    /// <summary>The batch; its one result set is the query's.</summary>
    public static NpgsqlBatch Create(NpgsqlConnection connection, Statement query, TimeSpan statementTime)
    {
        var milliseconds = Math.Max(1, (long)statementTime.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        var batch = connection.CreateBatch();
        batch.BatchCommands.Add(new("BEGIN TRANSACTION READ ONLY"));
        batch.BatchCommands.Add(new($"SET LOCAL statement_timeout = {milliseconds}"));
        batch.BatchCommands.Add(new("SET LOCAL lock_timeout = 2000"));
        batch.BatchCommands.Add(new("SET LOCAL idle_in_transaction_session_timeout = 30000"));
        var command = new NpgsqlBatchCommand(query.Sql);
        foreach (var value in query.Values) command.Parameters.Add(value.ToParameter());
        batch.BatchCommands.Add(command);
        batch.BatchCommands.Add(new("ROLLBACK"));
        return batch;
    }
}

/// <summary>SQL with <c>$1</c>, <c>$2</c>… and what is bound to them.</summary>
internal sealed record Statement(string Sql, IReadOnlyList<BoundValue> Values);

/// <summary>A value that travels beside the SQL, as text.</summary>
/// <param name="Text">The value as the database's own input functions read it.</param>
/// <param name="Type">Unknown: the database takes the type of what it is compared with.</param>
internal readonly record struct BoundValue(string Text, NpgsqlDbType Type = NpgsqlDbType.Unknown)
{
    public static BoundValue Of(int number) => new(number.ToString(CultureInfo.InvariantCulture));

    public NpgsqlParameter ToParameter() => new() { Value = Text, NpgsqlDbType = Type };
}
