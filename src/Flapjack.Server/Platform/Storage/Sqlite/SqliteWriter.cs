using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace Flapjack.Server.Platform.Storage.Sqlite;

/// <summary>The one writer of an SQLite database: units that wait together share a transaction, so a hundred requests cost one flush to disk.</summary>
/// <remarks>
/// 1 take everything that waits (at most <see cref="BatchLimit"/>), 2 run it in one transaction, 3 commit, 4 complete the callers.
/// When a unit throws, the transaction is rolled back and each unit is tried alone, so that only the faulty one fails.
/// </remarks>
internal sealed class SqliteWriter : IWriter, IDisposable
{
    private const int BatchLimit = 256, Busy = 5;
    private readonly Channel<Pending> _queue = Channel.CreateBounded<Pending>(new BoundedChannelOptions(10_000) { SingleReader = true });
    private readonly SqliteCommands _commands;
    private readonly SqliteGate _gate;
    private readonly Thread _thread;

    public SqliteWriter(string connectionString, SqliteGate gate, TimeProvider time)
    {
        _gate = gate;
        _commands = new SqliteCommands(connectionString, time);
        _thread = new Thread(Run) { IsBackground = true, Name = "sqlite writer" };
        _thread.Start();
    }

    public async Task<WriteResult> WriteAsync(SqlStatement[] unit, CancellationToken cancellationToken = default)
    {
        var pending = new Pending(unit);
        await _queue.Writer.WriteAsync(pending, cancellationToken);
        return await pending.Done.Task;
    }

    public void Dispose()
    {
        _queue.Writer.TryComplete();
        _thread.Join(TimeSpan.FromSeconds(10));
        _commands.Dispose();
    }

    private void Run()
    {
        var batch = new List<Pending>(BatchLimit);
        while (Wait())
        {
            batch.Clear();
            while (batch.Count < BatchLimit && _queue.Reader.TryRead(out var pending)) batch.Add(pending);
            _gate.Enter();
            try
            {
                Write(batch);
            }
            finally
            {
                _gate.Leave();
            }
        }
    }

    // The writer owns its thread, so blocking it is the point.
    private bool Wait() => _queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult();

    private void Write(List<Pending> batch)
    {
        try
        {
            WriteTogether(batch);
        }
        catch (Exception exception)
        {
            // Another process holds the file: each unit alone would wait as long as all of them did.
            if (batch.Count == 1 || exception is SqliteException { SqliteErrorCode: Busy })
            {
                foreach (var pending in batch) pending.Done.TrySetException(exception);
                return;
            }
            foreach (var pending in batch) Write([pending]);
        }
    }

    private void WriteTogether(List<Pending> batch)
    {
        using (var transaction = _commands.Begin())
        {
            foreach (var pending in batch) pending.Result = Execute(pending.Unit, transaction);
            transaction.Commit();
        }
        foreach (var pending in batch) pending.Done.TrySetResult(pending.Result);
    }

    private WriteResult Execute(SqlStatement[] unit, SqliteTransaction transaction)
    {
        var affected = new int[unit.Length];
        long? returned = null;
        for (var i = 0; i < unit.Length; i++)
        {
            var command = _commands.Bind(unit[i], transaction);
            if (unit[i].Guards)
            {
                if (command.ExecuteScalar() is null) return new(affected, null, Refused: true);
            }
            else if (unit[i].Returns)
            {
                using var reader = command.ExecuteReader();
                if (reader.Read()) (returned, affected[i]) = (reader.GetInt64(0), 1);
            }
            else
            {
                affected[i] = command.ExecuteNonQuery();
            }
        }
        return new(affected, returned);
    }

    private sealed class Pending(SqlStatement[] unit)
    {
        public SqlStatement[] Unit { get; } = unit;
        public TaskCompletionSource<WriteResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public WriteResult Result { get; set; }
    }
}

/// <summary>SQLite has one writer at a time; taking turns here is cheaper than colliding there.</summary>
internal sealed class SqliteGate : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);

    public void Enter() => _turn.Wait();

    public Task EnterAsync(CancellationToken cancellationToken) => _turn.WaitAsync(cancellationToken);

    public void Leave() => _turn.Release();

    public void Dispose() => _turn.Dispose();
}
