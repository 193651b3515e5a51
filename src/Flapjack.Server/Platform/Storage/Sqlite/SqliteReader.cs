using System.Collections.Concurrent;

namespace Flapjack.Server.Platform.Storage.Sqlite;

/// <summary>Reads on a few connections that keep their prepared statements. A read takes microseconds, so it runs where it is asked for.</summary>
internal sealed class SqliteReader(string connectionString, TimeProvider time) : IReader, IDisposable
{
    private readonly ConcurrentBag<SqliteCommands> _idle = [];

    public ValueTask<T?> ReadAsync<T>(SqlStatement statement, SqlMap<T> map, CancellationToken cancellationToken) where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        var commands = Take();
        try
        {
            T? value;
            using (var reader = commands.Bind(statement, null).ExecuteReader()) value = reader.Read() ? map(new SqlRow(reader)) : null;
            _idle.Add(commands);
            return new(value);
        }
        catch
        {
            // A connection that failed is not trusted with the next read.
            commands.Dispose();
            throw;
        }
    }

    public ValueTask<List<T>> ReadAllAsync<T>(SqlStatement statement, SqlMap<T> map, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var commands = Take();
        try
        {
            var rows = new List<T>();
            using (var reader = commands.Bind(statement, null).ExecuteReader())
            {
                while (reader.Read()) rows.Add(map(new SqlRow(reader)));
            }
            _idle.Add(commands);
            return new(rows);
        }
        catch
        {
            commands.Dispose();
            throw;
        }
    }

    private SqliteCommands Take() => _idle.TryTake(out var commands) ? commands : new SqliteCommands(connectionString, time);

    public void Dispose()
    {
        while (_idle.TryTake(out var commands)) commands.Dispose();
    }
}
