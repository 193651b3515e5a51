using System.Collections.Concurrent;
using System.Threading.Channels;
using Npgsql;

namespace Flapjack.Server.Platform.Storage.Postgres;

/// <summary>Sends units of statements to PostgreSQL. Small units that wait together travel in one round trip and one transaction.</summary>
/// <remarks>
/// One loop 1 takes what waits (at most <see cref="GroupLimit"/> units), 2 sends it as one batch, which the database runs as one transaction, 3 completes the callers.
/// What one unit does must not harm the others: what is heavy or large never shares and leaves most connections to them, a group waits for locks only shortly, and when the database refuses it each of its units is sent alone.
/// </remarks>
internal sealed class PostgresWriter : IWriter, IAsyncDisposable
{
    private const int GroupLimit = 32, LargestShared = 64 * 1024, LargeAtOnce = 16;
    private readonly Channel<Pending> _queue = Channel.CreateBounded<Pending>(new BoundedChannelOptions(10_000) { SingleReader = true });
    private readonly ConcurrentDictionary<Task, byte> _lone = new();
    private readonly SemaphoreSlim _large = new(LargeAtOnce);
    private readonly NpgsqlDataSource _alone;
    private readonly NpgsqlDataSource _together;
    private readonly PostgresPulse _pulse;
    private readonly Task _sending;

    public PostgresWriter(NpgsqlDataSource source, PostgresGroups groups, PostgresPulse pulse)
    {
        (_alone, _together, _pulse) = (source, groups.Source, pulse);
        _sending = Task.Run(RunAsync);
    }

    public async Task<WriteResult> WriteAsync(SqlStatement[] unit, CancellationToken cancellationToken = default)
    {
        _pulse.ThrowIfSilent();
        var pending = new Pending(unit);
        if (Shares(unit)) await _queue.Writer.WriteAsync(pending, cancellationToken);
        else Keep(SendLargeAsync(pending, cancellationToken));
        return await pending.Done.Task;
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _sending;
        await Task.WhenAll(_lone.Keys);
        _large.Dispose();
    }

    private static bool Shares(SqlStatement[] unit)
    {
        var size = 0L;
        foreach (var statement in unit)
        {
            if (statement.Heavy) return false;
            foreach (var value in statement.Values) size += value.Value switch { string text => text.Length, byte[] bytes => bytes.Length, _ => 0 };
        }
        return size <= LargestShared;
    }

    private async Task RunAsync()
    {
        while (await _queue.Reader.WaitToReadAsync())
        {
            var group = new List<Pending>();
            while (group.Count < GroupLimit && _queue.Reader.TryRead(out var pending)) group.Add(pending);
            if (group.Count > 0) await SendAsync(group);
        }
    }

    private async Task SendAsync(List<Pending> group)
    {
        try
        {
            // Asked again: those behind a group that met a silent database need not find that out one after another.
            _pulse.ThrowIfSilent();
            await using var batch = _together.CreateBatch();
            foreach (var pending in group) PostgresUnit.AddTo(batch, pending.Unit);
            var results = await PostgresUnit.ExecuteAsync(batch, group.ConvertAll(static pending => pending.Unit));
            for (var i = 0; i < group.Count; i++) group[i].Done.TrySetResult(results[i]);
        }
        catch (PostgresException refusal) when (refusal.InvariantSeverity == "ERROR")
        {
            // Nothing of the group was committed; of a connection that the database ended nobody knows. Not waited for: one of them may have to wait for a lock.
            foreach (var pending in group) Keep(SendAloneAsync(pending));
        }
        catch (Exception exception)
        {
            foreach (var pending in group) pending.Done.TrySetException(exception);
        }
    }

    private void Keep(Task sending)
    {
        if (sending.IsCompleted) return;
        _lone.TryAdd(sending, 0);
        _ = sending.ContinueWith(ended => _lone.TryRemove(ended, out _), TaskScheduler.Default);
    }

    // Only what skips the queue: a unit of a refused group may wait for a lock, and must not wait for these as well.
    private async Task SendLargeAsync(Pending pending, CancellationToken cancellationToken)
    {
        try
        {
            await _large.WaitAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            pending.Done.TrySetException(exception);
            return;
        }
        await SendAloneAsync(pending);
        _large.Release();
    }

    // Throws nothing: the caller gets what went wrong.
    private async Task SendAloneAsync(Pending pending)
    {
        try
        {
            _pulse.ThrowIfSilent();
            await using var batch = _alone.CreateBatch();
            PostgresUnit.AddTo(batch, pending.Unit);
            pending.Done.TrySetResult((await PostgresUnit.ExecuteAsync(batch, [pending.Unit]))[0]);
        }
        catch (PostgresException exception) when (PostgresUnit.IsRefusal(exception, pending.Unit))
        {
            pending.Done.TrySetResult(new(new int[pending.Unit.Length], null, Refused: true));
        }
        catch (Exception exception)
        {
            pending.Done.TrySetException(exception);
        }
    }

    private sealed class Pending(SqlStatement[] unit)
    {
        public SqlStatement[] Unit { get; } = unit;
        public TaskCompletionSource<WriteResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
