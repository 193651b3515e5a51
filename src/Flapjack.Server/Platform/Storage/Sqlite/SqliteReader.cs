using System.Collections.Concurrent;

namespace Flapjack.Server.Platform.Storage.Sqlite;

/// <summary>Reads on a few connections that keep their prepared statements. A read takes microseconds, so it runs where it is asked for.</summary>
internal sealed class SqliteReader(string connectionString) : IReader, IDisposable
{
    private readonly ConcurrentBag<SqliteCommands> _idle = [];

    public ValueTask<T?> ReadAsync<T>(SqlStatement statement, SqlMap<T> map, CancellationToken cancellationToken) where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_idle.TryTake(out var commands)) commands = new SqliteCommands(connectionString);
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

    public void Dispose()
    {
        while (_idle.TryTake(out var commands)) commands.Dispose();
    }
}
