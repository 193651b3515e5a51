using System.Threading.Channels;
using Npgsql;

namespace Flapjack.Server.Platform.Storage.Postgres;

/// <summary>Sends units of statements to PostgreSQL. Units that wait together travel in one round trip and one transaction.</summary>
/// <remarks>
/// One loop 1 takes what waits (at most <see cref="GroupLimit"/> units), 2 sends it as one batch, which the database runs as one transaction, 3 completes the callers.
/// What one unit does must not harm the others: a group waits for locks only shortly, and when the database refuses it for any reason, each of its units is sent alone.
/// </remarks>
internal sealed class PostgresWriter : IWriter, IAsyncDisposable
{
    private const int GroupLimit = 32;
    private readonly Channel<Pending> _queue = Channel.CreateBounded<Pending>(new BoundedChannelOptions(10_000) { SingleReader = true });
    private readonly NpgsqlDataSource _alone;
    private readonly NpgsqlDataSource _together;
    private readonly PostgresPulse _pulse;
    private readonly Task _sending;

    public PostgresWriter(NpgsqlDataSource source, PostgresGroups groups, PostgresPulse pulse)
    {
        (_alone, _pulse) = (source, pulse);
        _together = groups.Source;
        _sending = Task.Run(RunAsync);
    }

    public async Task<WriteResult> WriteAsync(SqlStatement[] unit, CancellationToken cancellationToken = default)
    {
        _pulse.ThrowIfSilent();
        var pending = new Pending(unit);
        await _queue.Writer.WriteAsync(pending, cancellationToken);
        return await pending.Done.Task;
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _sending;
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
            await using var batch = _together.CreateBatch();
            foreach (var pending in group) PostgresUnit.AddTo(batch, pending.Unit);
            var results = await PostgresUnit.ExecuteAsync(batch, group.ConvertAll(static pending => pending.Unit));
            for (var i = 0; i < group.Count; i++) group[i].Done.TrySetResult(results[i]);
        }
        catch (PostgresException refusal) when (refusal.InvariantSeverity == "ERROR")
        {
            // Nothing of the group was committed; of a connection that the database ended nobody knows. Not waited for: one of them may have to wait for a lock.
            foreach (var pending in group) _ = SendAloneAsync(pending);
        }
        catch (Exception exception)
        {
            foreach (var pending in group) pending.Done.TrySetException(exception);
        }
    }

    private async Task SendAloneAsync(Pending pending)
    {
        try
        {
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

/// <summary>The connections for groups of units. They wait for a lock only shortly, so that what holds one unit up does not hold up the others.</summary>
internal sealed class PostgresGroups(string address) : IAsyncDisposable
{
    public NpgsqlDataSource Source { get; } = Build(PostgresAddress.OfGroups(address));

    public ValueTask DisposeAsync() => Source.DisposeAsync();

    private static NpgsqlDataSource Build(string address)
    {
        var builder = new NpgsqlDataSourceBuilder(address);
        builder.UsePhysicalConnectionInitializer(ShortLocks, async connection =>
        {
            await using var command = Command(connection);
            await command.ExecuteNonQueryAsync();
        });
        return builder.Build();
    }

    private static void ShortLocks(NpgsqlConnection connection)
    {
        using var command = Command(connection);
        command.ExecuteNonQuery();
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection) => new("SET lock_timeout = '10ms'", connection);
}
