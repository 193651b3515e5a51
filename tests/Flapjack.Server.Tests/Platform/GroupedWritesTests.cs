using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Platform.Storage.Postgres;
using Flapjack.Server.Tests.Threads;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Flapjack.Server.Tests.Platform;

/// <summary>Units of many requests share transactions; what becomes of one is its own affair.</summary>
public sealed class GroupedWritesTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private IWriter Writer => world.Server.Services.GetRequiredService<IWriter>();

    [Fact]
    public async Task Each_unit_of_a_group_gets_its_own_result()
    {
        var threads = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => world.OpenAsync()));
        var results = await Task.WhenAll(threads.Select((thread, i) => Writer.WriteAsync(
        [
            Guard(i % 4 == 0 ? Guid.NewGuid() : thread),
            new("UPDATE threads SET title = $2 WHERE id = $1", [thread, $"title {i}"]),
            new("UPDATE threads SET last_seq = $2 WHERE id = $1 RETURNING last_seq", [thread, (long)i]) { Returns = true },
        ], Token)));
        for (var i = 0; i < results.Length; i++)
        {
            results[i].Refused.ShouldBe(i % 4 == 0);
            results[i].Returned.ShouldBe(i % 4 == 0 ? null : i);
            results[i].Affected.Skip(1).ShouldAllBe(count => count == (i % 4 == 0 ? 0 : 1));
            var title = (await world.ThreadAsync(threads[i])).GetProperty("title");
            (title.ValueKind == System.Text.Json.JsonValueKind.Null ? null : title.GetString()).ShouldBe(i % 4 == 0 ? null : $"title {i}");
        }
    }

    [Fact]
    public async Task Results_of_a_group_are_told_apart()
    {
        var threads = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => world.OpenAsync()));
        SqlStatement[] Unit(Guid thread, int i) => (i % 3) switch
        {
            0 => [new("UPDATE threads SET title = $2 WHERE id = $1", [thread, $"title {i}"])],
            1 => [Guard(thread), new("UPDATE threads SET title = $2 WHERE id = $1", [thread, $"title {i}"]), new("UPDATE threads SET last_seq = $2 WHERE id = $1 RETURNING last_seq", [thread, (long)i]) { Returns = true }],
            _ => [new("UPDATE threads SET title = $2 WHERE id = $1", [thread, $"title {i}"]), new("UPDATE threads SET title = 'x' WHERE id = $1", [Guid.NewGuid()]), new("UPDATE threads SET last_seq = 1 WHERE id = $1 RETURNING last_seq", [Guid.NewGuid()]) { Returns = true }],
        };
        var results = await Task.WhenAll(threads.Select((thread, i) => Writer.WriteAsync(Unit(thread, i), Token)));
        for (var i = 0; i < results.Length; i++)
        {
            results[i].Refused.ShouldBeFalse();
            results[i].Returned.ShouldBe(i % 3 == 1 ? i : null);
            // A guard counts nothing.
            results[i].Affected.Skip(i % 3 == 1 ? 1 : 0).ShouldBe(i % 3 == 0 ? [1] : i % 3 == 1 ? [1, 1] : [1, 0, 0]);
            (await world.ThreadAsync(threads[i])).GetProperty("title").GetString().ShouldBe($"title {i}");
        }
        if (!TestDatabase.IsPostgres) return;
        await using var source = NpgsqlDataSource.Create(world.Server.ConnectionString);
        await using var command = source.CreateCommand("SELECT count(DISTINCT xmin::text) FROM threads WHERE id = ANY($1)");
        command.Parameters.Add(new() { Value = threads });
        ((long)(await command.ExecuteScalarAsync(Token))!).ShouldBeLessThan(threads.Length, "some of them shared a transaction");
    }

    [Fact]
    public async Task A_faulty_unit_harms_no_other()
    {
        var threads = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => world.OpenAsync()));
        var writes = threads.Select((thread, i) => Writer.WriteAsync(
            [new("UPDATE threads SET title = $2 WHERE id = $1", [thread, "kept"]), new(i == 5 ? "UPDATE nonesuch SET title = 'x'" : "UPDATE threads SET status = status WHERE id = $1", i == 5 ? [] : [thread])], Token)).ToList();
        await Should.ThrowAsync<System.Data.Common.DbException>(writes[5]);
        for (var i = 0; i < writes.Count; i++)
        {
            if (i != 5) (await writes[i]).Affected.ShouldBe([1, 1]);
            (await world.ThreadAsync(threads[i])).GetProperty("title").GetString().ShouldBe(i == 5 ? null : "kept");
        }
    }

    [Fact]
    public async Task A_unit_that_waits_for_a_lock_holds_nobody_up()
    {
        Assert.SkipUnless(TestDatabase.IsPostgres, "rows are locked on PostgreSQL only");
        var locked = await world.OpenAsync();
        var others = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => world.OpenAsync()));
        await using var source = NpgsqlDataSource.Create(world.Server.ConnectionString);
        await using var connection = await source.OpenConnectionAsync(Token);
        var holder = await connection.BeginTransactionAsync(Token);
        await using (var command = new NpgsqlCommand("SELECT 1 FROM threads WHERE id = $1 FOR UPDATE", connection, holder) { Parameters = { new() { Value = locked } } }) await command.ExecuteNonQueryAsync(Token);

        var waiting = Writer.WriteAsync([new("UPDATE threads SET title = 'waited' WHERE id = $1", [locked])], Token);
        foreach (var thread in others) (await Writer.WriteAsync([new("UPDATE threads SET title = 'at once' WHERE id = $1", [thread])], Token)).Affected.ShouldBe([1]);
        waiting.IsCompleted.ShouldBeFalse("somebody else holds its row");
        await holder.RollbackAsync(Token);
        (await waiting).Affected.ShouldBe([1]);
    }

    [Fact]
    public async Task Large_units_leave_connections_to_the_others()
    {
        Assert.SkipUnless(TestDatabase.IsPostgres, "SQLite has one writer");
        var (locked, other) = (await world.OpenAsync(), await world.OpenAsync());
        var address = new NpgsqlConnectionStringBuilder(world.Server.ConnectionString) { MaxPoolSize = 20, Timeout = 5, CommandTimeout = 30 }.ConnectionString;
        await using var source = NpgsqlDataSource.Create(address);
        await using var groups = new PostgresGroups(address);
        using var pulse = new PostgresPulse(NpgsqlDataSource.Create(address), PostgresPulse.Patience, NullLogger<PostgresPulse>.Instance);
        await using var writer = new PostgresWriter(source, groups, pulse);
        await using var elsewhere = NpgsqlDataSource.Create(world.Server.ConnectionString);
        await using var connection = await elsewhere.OpenConnectionAsync(Token);
        var holder = await connection.BeginTransactionAsync(Token);
        await using (var command = new NpgsqlCommand("SELECT 1 FROM threads WHERE id = $1 FOR UPDATE", connection, holder) { Parameters = { new() { Value = locked } } }) await command.ExecuteNonQueryAsync(Token);

        using var impatience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var large = new string('x', 65 * 1024);
        SqlStatement[] Large(Guid thread) => [new("UPDATE threads SET title = left($2, 5) WHERE id = $1", [thread, large])];
        var waiting = Enumerable.Range(0, 24).Select(_ => writer.WriteAsync(Large(locked), Token)).ToList();
        var impatient = writer.WriteAsync(Large(locked), impatience.Token);
        await using (var reading = await source.OpenConnectionAsync(Token)) reading.FullState.HasFlag(System.Data.ConnectionState.Open).ShouldBeTrue();
        (await writer.WriteAsync([new("UPDATE threads SET title = 'small' WHERE id = $1", [other])], Token)).Affected.ShouldBe([1]);
        await impatience.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(impatient);
        waiting.ShouldAllBe(write => !write.IsCompleted);
        await holder.RollbackAsync(Token);
        foreach (var write in waiting) (await write).Affected.ShouldBe([1]);
    }

    private static SqlStatement Guard(Guid thread) => new("SELECT 1 FROM threads WHERE id = $1", [thread]) { Guards = true };
}
