using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Delegation;

/// <summary>Whatever ends the turn that asked ends the turn that was asked for.</summary>
public sealed class SubAgentStopTests
{
    [Fact]
    public async Task A_stop_ends_both_and_books_what_was_used()
    {
        await using var world = await TurnWorld.StartAsync();
        var (thread, stream) = await HeldAsync(world, "stop");
        await using var held = stream;
        await world.StopAsync(thread);
        await world.Tools.Hold("stop").Cancelled;
        var done = (await stream.EndAsync()).Data;
        done.GetProperty("stopped").GetBoolean().ShouldBeTrue();
        // 3,000 in and 300 out of the model that was asked.
        done.GetProperty("usage").GetProperty("cost_usd").GetDecimal().ShouldBe(0.0135m);
        await ShouldBeOverAsync(world, thread, "stopped");
        var spans = (await world.TraceAsync(thread)).GetProperty("spans").EnumerateArray().ToList();
        spans.Count(s => s.Text("kind") == "llm").ShouldBe(2);
    }

    [Fact]
    public async Task A_client_that_leaves_ends_both()
    {
        await using var world = await TurnWorld.StartAsync();
        var (thread, stream) = await HeldAsync(world, "leave");
        await stream.DisposeAsync();
        await world.Tools.Hold("leave").Cancelled;
        await world.FreeAsync(thread);
        await ShouldBeOverAsync(world, thread, "stopped");
    }

    [Fact]
    public async Task The_time_limit_of_a_turn_holds_for_both()
    {
        await using var world = await TurnWorld.StartAsync(settings => settings["Turns:TimeoutSeconds"] = "60");
        var (thread, stream) = await HeldAsync(world, "time");
        await using var held = stream;
        // No further: the second that a call of another agent gets to end well is one of this clock.
        world.Server.Time.Advance(TimeSpan.FromSeconds(60));
        (await stream.EndAsync()).Data.Text("code").ShouldBe("TURN_TIMEOUT");
        await world.Tools.Hold("time").Cancelled;
        var child = (await world.ChildrenAsync(thread)).ShouldHaveSingleItem();
        (await world.TurnStatusesAsync(child.Id)).ShouldNotContain("running");
    }

    [Fact]
    public async Task A_node_that_dies_leaves_no_turn_running()
    {
        await using var world = await TurnWorld.StartAsync();
        var (thread, stream) = await HeldAsync(world, "death", "continue");
        await using var held = stream;
        await world.ExpireLeasesAsync();
        await using var node = world.Server.StartPeer();
        await world.FreeAsync(thread);
        // Nobody knows what the other agent did: it is not asked again.
        (await world.MessagesAsync(thread, "?include=tools")).Single(m => m.Text("role") == "tool").Text("content").ShouldContain("OUTCOME_UNKNOWN");
        (await world.TurnStatusesAsync(thread)).ShouldBe(["done"]);
        var child = (await world.ChildrenAsync(thread)).ShouldHaveSingleItem();
        (await world.TurnStatusesAsync(child.Id)).ShouldBe(["interrupted"]);
        world.Tools.Hold("death").Calls.Count.ShouldBe(1);
        world.Tools.Hold("death").Release();
    }

    /// <summary>A turn whose other agent waits in a tool.</summary>
    private static async Task<(Guid Thread, EventStream Stream)> HeldAsync(TurnWorld world, string key, string onDisconnect = "cancel")
    {
        var bob = await world.AgentAsync("Bob", TurnWorld.Claude);
        var ada = await world.AgentAsync("Ada");
        await world.LetAskAsync(ada, [bob]);
        var thread = await world.Server.CreateThreadAsync(ada);
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "hold", JsonSerializer.Serialize(new { key }))).WithUsage(new(3_000, 300)));
        var stream = await world.SendAsync(thread, new { content = DelegationWorld.Ask("bob", "wait"), onDisconnect });
        await world.Tools.Hold(key).Entered;
        await stream.UntilAsync("client_event");
        return (thread, stream);
    }

    private static async Task ShouldBeOverAsync(TurnWorld world, Guid thread, string status)
    {
        (await world.ThreadAsync(thread)).GetProperty("active_turn_id").ValueKind.ShouldBe(JsonValueKind.Null);
        (await world.TurnStatusesAsync(thread)).ShouldBe([status]);
        var child = (await world.ChildrenAsync(thread)).ShouldHaveSingleItem();
        (await world.TurnStatusesAsync(child.Id)).ShouldBe([status]);
    }
}
