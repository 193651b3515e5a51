using System.Text.Json;
using Flapjack.Server.Platform.Signals;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Processes;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Streams.Relay;
using Flapjack.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Threads;

/// <summary>Two nodes on one database: whatever a client wants of a turn, it may ask the node that does not run it. The clock stands still, so nothing here is found by looking now and then.</summary>
public sealed class NodesTests(TwoNodes nodes) : IClassFixture<TwoNodes>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private TurnWorld World => nodes.World;

    private HttpClient Other => nodes.Peer.Client;

    [Fact]
    public async Task Stop_reaches_the_turn_from_the_other_node()
    {
        var (thread, hold, running) = await RunningAsync();
        await using var _ = running;
        await Other.PostAsync($"/api/threads/{thread}/stop", null, Token).ShouldBe(200);
        (await World.ThreadAsync(thread)).GetProperty("active_turn_id").ValueKind.ShouldBe(JsonValueKind.Null, "it is stored when stop answers");
        await hold.Cancelled;
        (await running.EndAsync()).Data.GetProperty("stopped").GetBoolean().ShouldBeTrue();
        await Other.PostAsync($"/api/threads/{thread}/stop", null, Token).ShouldBe(200);
    }

    [Fact]
    public async Task An_interruption_reaches_the_turn_from_the_other_node()
    {
        var (thread, hold, running) = await RunningAsync();
        await using var _ = running;
        await using var second = await World.SendAsync(thread, new { content = "/echo now", onBusy = "interrupt" }, Other);
        (await second.EndAsync()).Data.Text("content").ShouldBe("now");
        await hold.Cancelled;
        (await running.EndAsync()).Data.GetProperty("stopped").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task A_message_queued_on_the_other_node_begins_when_the_turn_is_over()
    {
        var (thread, hold, running) = await RunningAsync();
        await using var _ = running;
        await using var queued = await World.SendAsync(thread, new { content = "/echo next", onBusy = "queue" }, Other);
        await using var here = await World.SendAsync(thread, new { content = "/echo last", onBusy = "queue" });
        hold.Release();
        (await running.EndAsync()).Event.ShouldBe("done");
        // Each node has a line of its own; which of the two comes first is not said.
        (await queued.EndAsync()).Data.Text("content").ShouldBe("next");
        (await here.EndAsync()).Data.Text("content").ShouldBe("last");
    }

    [Fact]
    public async Task A_message_queued_on_the_other_node_waits_for_the_client_too()
    {
        var thread = await World.OpenAsync();
        var hold = World.Tools.Hold($"client {thread}");
        await using var running = await World.SendAsync(thread, new { content = $$"""/tool hold {"key":"client {{thread}}"}""" + "\n/tool pick {}", tools = new[] { new { name = "pick" } } });
        await hold.Entered;
        await using var queued = await World.SendAsync(thread, new { content = "/echo next", onBusy = "queue" }, Other);
        hold.Release();
        var asked = await running.EndAsync();
        var results = new { toolResults = new[] { new { toolCallId = asked.Data.GetProperty("toolCalls")[0].Text("id"), result = "mine" } } };
        await using var resumed = await World.SendAsync(thread, results);
        (await resumed.EndAsync(asked.Sequence + 1)).Event.ShouldBe("done");
        (await queued.EndAsync()).Data.Text("content").ShouldBe("next");
    }

    [Fact]
    public async Task Every_listener_on_either_node_sees_the_same_events()
    {
        var (thread, hold, running) = await RunningAsync();
        await using var _ = running;
        await using var fromStart = await World.AttachAsync(thread, client: Other);
        await using var fromMeta = await World.AttachAsync(thread, running.Seen[0].Id, Other);
        await using var again = await World.AttachAsync(thread, client: Other);
        await fromStart.UntilAsync("meta");
        hold.Release();
        await running.EndAsync();
        await fromStart.EndAsync();
        await again.EndAsync();
        await fromMeta.UntilAsync("done");
        var all = Lines(running);
        Lines(fromStart).ShouldBe(all);
        Lines(again).ShouldBe(all);
        Lines(fromMeta).ShouldBe(all.Skip(1));
        for (var i = 0; i < all.Length; i++)
        {
            await using var replay = await World.AttachAsync(thread, $"{running.Seen[0].Data.Text("turnId")}:{i}", Other);
            await replay.UntilAsync("done");
            Lines(replay).ShouldBe(all.Skip(i));
        }
        using var idle = await Other.GetAsync($"/api/threads/{thread}/stream", Token);
        ((int)idle.StatusCode).ShouldBe(204);
        foreach (var wrong in (string[])[$"{Guid.CreateVersion7()}:1", $"{running.Seen[0].Data.Text("turnId")}:99"])
        {
            await Other.GetAsync($"/api/threads/{thread}/stream?lastEventId={wrong}", Token).ShouldBeError(404, "NOT_FOUND");
        }
    }

    [Fact]
    public async Task Events_larger_than_a_signal_arrive_whole()
    {
        var thread = await World.OpenAsync(TurnWorld.OpenAI);
        var begin = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // Characters of one to four bytes, so that cuts fall into them; a megabyte, so that the reader has to confirm.
        var piece = string.Concat(Enumerable.Repeat("aü€😀", 5_000));
        World.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "large", "{}")), Script.Text([.. Enumerable.Repeat(piece, 20)]).Paced(() => begin.Task));
        await using var here = await World.SendAsync(thread, new { content = "go" });
        await here.UntilAsync("tool_result");
        await using var there = await World.AttachAsync(thread, client: Other);
        await there.UntilAsync("tool_result");
        begin.SetResult();
        await here.EndAsync();
        await there.EndAsync();
        Lines(there).ShouldBe(Lines(here));
        await using var late = await World.AttachAsync(thread, here.Seen[^2].Id, Other);
        (await late.NextAsync()).Id.ShouldBe(here.Seen[^1].Id);
    }

    [Fact]
    public async Task A_listener_on_the_other_node_keeps_the_turn_alive_until_it_leaves()
    {
        var (thread, hold, running) = await RunningAsync();
        var there = await World.AttachAsync(thread, client: Other);
        await there.UntilAsync("tool_executing");
        await running.DisposeAsync();
        await nodes.World.Server.WaitForRunningRequestsAsync(0);
        (await World.ThreadAsync(thread)).GetProperty("active_turn_id").ValueKind.ShouldBe(JsonValueKind.String, "a listener is left");
        var last = there.Seen[^1].Id!;
        await there.DisposeAsync();
        await hold.Cancelled;
        await using var back = await World.AttachAsync(thread, last, Other);
        (await back.UntilAsync("done")).Data.GetProperty("stopped").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task A_revoked_key_is_cut_on_every_node_at_once()
    {
        using var owner = await World.Server.LoginOwnerAsync();
        using var created = await owner.PostAsync("/api/keys", TurnWorld.Body(new { name = "short-lived" }), Token);
        var key = await created.ShouldBeAsync(201);
        using var client = nodes.Peer.ClientFor(key.Text("key")!);
        var (thread, hold, running) = await RunningAsync(client);
        await using var _ = running;
        var (other, _, kept) = await RunningAsync();
        await using var __ = kept;
        await using var listener = await World.AttachAsync(other, client: client);
        await listener.UntilAsync("tool_executing");
        await owner.DeleteAsync($"/api/keys/{key.Text("id")}", Token).ShouldBe(200);
        (await running.EndAsync()).Data.Text("code").ShouldBe("UNAUTHORIZED");
        (await listener.UntilAsync("error")).Data.Text("code").ShouldBe("UNAUTHORIZED");
        await hold.Cancelled;
        await client.GetAsync($"/api/threads/{thread}", Token).ShouldBeError(401, "UNAUTHORIZED");
        await World.StopAsync(other);
    }

    [Fact]
    public async Task A_repeat_on_the_other_node_gets_the_same_events()
    {
        var thread = await World.OpenAsync();
        var hold = World.Tools.Hold($"repeat {thread}");
        var message = new { content = $$"""/tool hold {"key":"repeat {{thread}}"}""" };
        await using var first = await World.SendAsync(thread, message, key: "k");
        await hold.Entered;
        await using var second = await World.SendAsync(thread, message, Other, "k");
        second.Response.Header("Idempotency-Replayed").ShouldBe("true");
        hold.Release();
        await first.EndAsync();
        await second.EndAsync();
        Lines(second).ShouldBe(Lines(first));
        await using var third = await World.SendAsync(thread, message, Other, "k");
        await third.EndAsync();
        Lines(third).ShouldBe(Lines(first));
    }

    [Fact]
    public async Task A_continued_turn_is_replayed_stream_by_stream_on_the_other_node()
    {
        var thread = await World.OpenAsync();
        var message = new { content = "/tool pick {}", tools = new[] { new { name = "pick" } } };
        await using var first = await World.SendAsync(thread, message, key: "k1");
        var asked = await first.EndAsync();
        var results = new { toolResults = new[] { new { toolCallId = asked.Data.GetProperty("toolCalls")[0].Text("id"), result = "mine" } } };
        await using var second = await World.SendAsync(thread, results, key: "k2");
        await second.EndAsync(asked.Sequence + 1);
        await using var firstAgain = await World.SendAsync(thread, message, Other, "k1");
        await firstAgain.EndAsync();
        Lines(firstAgain).ShouldBe(Lines(first));
        await using var secondAgain = await World.SendAsync(thread, results, Other, "k2");
        await secondAgain.EndAsync(asked.Sequence + 1);
        Lines(secondAgain).ShouldBe(Lines(second));
        await using var rest = await World.AttachAsync(thread, first.Seen[0].Id, Other);
        await rest.UntilAsync("requires_action");
        Lines(rest).ShouldBe(Lines(first).Skip(1));
    }

    [Fact]
    public async Task A_turn_whose_node_is_gone_is_neither_waited_for_nor_denied()
    {
        var (thread, hold, running) = await RunningAsync();
        await using var _ = running;
        var turn = Guid.Parse(running.Seen[0].Data.Text("turnId")!);
        var node = await SetNodeAsync(turn, $"gone-{Guid.CreateVersion7():N}");
        await Other.GetAsync($"/api/threads/{thread}/stream", Token).ShouldBeError(503, "SERVICE_UNAVAILABLE");
        await Other.GetAsync($"/api/threads/{thread}/stream?lastEventId={turn}:1", Token).ShouldBeError(503, "SERVICE_UNAVAILABLE");
        await Other.PostAsync($"/api/threads/{thread}/stop", null, Token).ShouldBe(200);
        await SetNodeAsync(turn, node);
        hold.Release();
        (await running.EndAsync()).Event.ShouldBe("done");
    }

    private static (string?, string, string)[] Lines(EventStream stream) => [.. stream.Seen.Select(e => (e.Id, e.Event, e.Data.GetRawText()))];

    private async Task<string> SetNodeAsync(Guid turn, string node)
    {
        await using var db = World.Server.Database();
        var rows = db.Turns.IgnoreQueryFilters().Where(t => t.Id == turn);
        var before = await rows.Select(t => t.Node).FirstAsync(Token);
        await rows.ExecuteUpdateAsync(row => row.SetProperty(t => t.Node, node), Token);
        return before;
    }

    private Task<(Guid Thread, HoldPoint Hold, EventStream Stream)> RunningAsync(HttpClient? client = null) => nodes.RunningAsync(client);
}

/// <summary>Two nodes where something breaks.</summary>
public sealed class NodeFaultTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_its_listening_connection_was_cut_a_node_hears_again_and_misses_nothing()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var (thread, hold, running) = await nodes.RunningAsync();
        await using var _ = running;
        await using var there = await nodes.World.AttachAsync(thread, client: nodes.Peer.Client);
        await there.UntilAsync("tool_executing");
        await nodes.CutListenersAsync();
        hold.Release(new string('z', 20_000));
        await running.EndAsync();
        var end = there.EndAsync();
        await nodes.AdvanceUntilAsync(end);
        (await end).Id.ShouldBe(running.Seen[^1].Id);
        there.Seen.Select(e => e.Data.GetRawText()).ShouldBe(running.Seen.Select(e => e.Data.GetRawText()));
        ServerFixture[] both = [nodes.World.Server, nodes.Peer];
        // A word of one node is enough for the stream; the other may still be on its way back.
        await nodes.AdvanceUntilAsync(PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "both nodes hear again", () => Task.FromResult(both.All(s => s.Log.Lines.Any(line => line.Contains("heard again", StringComparison.Ordinal))))));
        foreach (var server in both)
        {
            server.Log.Lines.Count(line => line.Contains("listening is tried again", StringComparison.Ordinal)).ShouldBe(1);
            server.Log.Lines.Count(line => line.Contains("heard again", StringComparison.Ordinal)).ShouldBe(1);
        }
        var (next, nextHold, second) = await nodes.RunningAsync();
        await using var __ = second;
        await nodes.Peer.Client.PostAsync($"/api/threads/{next}/stop", null, Token).ShouldBe(200);
        await nextHold.Cancelled;
    }

    [Fact]
    public async Task A_reading_node_that_falls_silent_counts_as_left()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var (thread, hold, running) = await nodes.RunningAsync();
        var turn = Guid.Parse(running.Seen[0].Data.Text("turnId")!);
        var org = Guid.Parse((await nodes.World.ThreadAsync(thread)).Text("org_id")!);
        // It asks for the stream and then says no more.
        var owner = nodes.World.Server.Services.GetRequiredService<NodeName>().Value;
        nodes.Peer.Services.GetRequiredService<ISignals>().Send(owner, ListenNote.Topic, new ListenNote(Guid.CreateVersion7(), turn, org, StreamPick.Latest, 0, ListenWish.Word).ToString());
        await using (var listener = await nodes.World.AttachAsync(thread, client: nodes.Peer.Client)) await listener.UntilAsync("tool_executing");
        await running.DisposeAsync();
        await nodes.World.Server.WaitForRunningRequestsAsync(0);
        (await nodes.World.ThreadAsync(thread)).GetProperty("active_turn_id").ValueKind.ShouldBe(JsonValueKind.String, "the other node is believed to listen");
        await nodes.AdvanceUntilAsync(hold.Cancelled);
    }

    [Fact]
    public async Task A_node_that_stops_hands_over_the_last_events_of_its_turns()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var (thread, _, running) = await nodes.RunningAsync(nodes.Peer.Client);
        await using var own = running;
        await using var there = await nodes.World.AttachAsync(thread);
        await there.UntilAsync("tool_executing");
        await nodes.Peer.DisposeAsync();
        (await there.EndAsync()).Data.Text("code").ShouldBe("SERVER_SHUTDOWN");
    }

    [Fact]
    public async Task A_stream_whose_owner_falls_silent_is_cut_without_an_end()
    {
        await using var nodes = await TwoNodes.StartAsync();
        var (thread, hold, running) = await nodes.RunningAsync();
        await using var _ = running;
        await using var there = await nodes.World.AttachAsync(thread, client: nodes.Peer.Client);
        await there.UntilAsync("tool_executing");
        await nodes.World.Server.BreakDatabaseAsync();
        var cut = Should.ThrowAsync<IOException>(there.EndAsync());
        await nodes.AdvanceUntilAsync(cut);
        await nodes.World.Server.RepairDatabaseAsync();
        hold.Release();
    }
}

/// <summary>A world with a second node.</summary>
public sealed class TwoNodes : IAsyncLifetime
{
    private TurnWorld? _world;
    private ServerFixture? _peer;

    /// <summary>The first node, and what both share.</summary>
    public TurnWorld World => OrSkip(_world);

    /// <summary>The other node.</summary>
    public ServerFixture Peer => OrSkip(_peer);

    public static async Task<TwoNodes> StartAsync()
    {
        var nodes = new TwoNodes();
        await nodes.InitializeAsync();
        return nodes;
    }

    public async ValueTask InitializeAsync()
    {
        if (!TestDatabase.IsPostgres) return;
        _world = await TurnWorld.StartAsync();
        _peer = _world.Server.StartPeer();
    }

    public async ValueTask DisposeAsync()
    {
        if (_peer is not null) await _peer.DisposeAsync();
        if (_world is not null) await _world.DisposeAsync();
    }

    /// <summary>A turn that stands still in a tool, on the first node unless <paramref name="client"/> is one of the other.</summary>
    internal async Task<(Guid Thread, HoldPoint Hold, EventStream Stream)> RunningAsync(HttpClient? client = null)
    {
        var thread = await World.OpenAsync();
        var hold = World.Tools.Hold($"run {thread}");
        var stream = await World.SendAsync(thread, new { content = $$"""/tool hold {"key":"run {{thread}}"}""" }, client);
        await hold.Entered;
        await stream.UntilAsync("tool_executing");
        return (thread, hold, stream);
    }

    /// <summary>Ends every connection over which a node listens.</summary>
    public async Task CutListenersAsync()
    {
        await using var connection = new Npgsql.NpgsqlConnection(World.Server.ConnectionString);
        await connection.OpenAsync();
        await using var command = new Npgsql.NpgsqlCommand("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'flapjack_%' AND datname = current_database()", connection);
        (await command.ExecuteScalarAsync()).ShouldBe(2L);
    }

    /// <summary>Moves the clock by a second again and again.</summary>
    public async Task AdvanceUntilAsync(Task done)
    {
        var deadline = Environment.TickCount64 + 30_000;
        while (!done.IsCompleted && Environment.TickCount64 < deadline)
        {
            World.Server.Time.Advance(TimeSpan.FromSeconds(1));
            // What the tick caused gets its turn before the next one, also on a loaded machine: twenty silent seconds are a dead node.
            await Task.WhenAny(done, Task.Delay(250, TestContext.Current.CancellationToken));
        }
        await done;
    }

    private static T OrSkip<T>(T? started) where T : class
    {
        Assert.SkipUnless(TestDatabase.IsPostgres, "several nodes need PostgreSQL");
        return started!;
    }
}
