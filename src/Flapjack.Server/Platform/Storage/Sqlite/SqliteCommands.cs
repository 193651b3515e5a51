using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Flapjack.Server.Platform.Storage.Sqlite;

/// <summary>One connection and the statements prepared on it.</summary>
internal sealed class SqliteCommands(string connectionString, TimeProvider time) : IDisposable
{
    private readonly SqliteConnection _connection = new(connectionString) { DefaultTimeout = SqliteSetup.BusySeconds };
    private readonly Dictionary<string, SqliteCommand> _prepared = new(StringComparer.Ordinal);

    public SqliteTransaction Begin()
    {
        Open();
        return _connection.BeginTransaction(deferred: false);
    }

    /// <summary>The statement with its values bound, ready to be executed.</summary>
    public SqliteCommand Bind(SqlStatement statement, SqliteTransaction? transaction)
    {
        Open();
        if (!_prepared.TryGetValue(statement.Text, out var command))
        {
            command = _connection.CreateCommand();
            command.CommandText = statement.Text;
            for (var i = 1; i <= statement.Values.Length; i++) command.Parameters.Add(new SqliteParameter("$" + i.ToString(CultureInfo.InvariantCulture), null));
            _prepared.Add(statement.Text, command);
        }
        command.Transaction = transaction;
        for (var i = 0; i < statement.Values.Length; i++) command.Parameters[i].Value = statement.Values[i].Value ?? DBNull.Value;
        return command;
    }

    public void Dispose()
    {
        foreach (var command in _prepared.Values) command.Dispose();
        _connection.Dispose();
    }

    private void Open()
    {
        if (_connection.State == System.Data.ConnectionState.Open) return;
        _connection.Open();
        // PostgreSQL has this function from a migration. Here one process owns the file, so its clock is the database's.
        _connection.CreateFunction("flapjack_now", (double seconds) => time.Now().AddSeconds(seconds).ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture));
        using var pragma = _connection.CreateCommand();
        pragma.CommandText = SqliteSetup.ConnectionPragmas;
        pragma.ExecuteNonQuery();
    }
}
