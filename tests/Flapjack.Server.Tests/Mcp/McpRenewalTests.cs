using System.Text.Json.Nodes;
using Flapjack.Server.Mcp.Connections;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Mcp;

/// <summary>When tools are listed again, and how long anybody waits. Each test moves a clock of its own.</summary>
public sealed class McpRenewalTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_listing_is_renewed_after_ten_minutes_and_a_failed_renewal_keeps_the_old_one()
    {
        await using var world = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        var (mcp, slug, _, thread) = await world.GiveAsync(fake);
        await world.TestAsync(mcp);
        fake.Tools = [FakeMcpServer.Tool("echo", null, null), FakeMcpServer.Tool("fresh", null, null)];
        world.Server.Time.Advance(TimeSpan.FromMinutes(9));
        (await world.CallAsync(thread, $"{slug}__fresh")).GetProperty("result").Text("error").ShouldBe("UNKNOWN_TOOL");
        fake.Count("tools/list").ShouldBe(1);
        world.Server.Time.Advance(TimeSpan.FromMinutes(2));
        (await world.CallAsync(thread, $"{slug}__fresh")).GetProperty("is_error").GetBoolean().ShouldBeFalse();
        fake.Count("tools/list").ShouldBe(2);

        fake.Broken = 500;
        world.Server.Time.Advance(TimeSpan.FromMinutes(11));
        await world.Server.AskAsync(thread, "/echo still offered");
        var read = await world.ReadAsync(mcp);
        (read.Text("status"), read.GetProperty("toolsCache").GetArrayLength()).ShouldBe(("error", 2));
        fake.Broken = 0;
        (await world.CallAsync(thread, $"{slug}__fresh")).GetProperty("is_error").GetBoolean().ShouldBeFalse();
        (await world.ReadAsync(mcp)).Text("status").ShouldBe("active");
    }

    [Fact]
    public async Task A_server_that_says_its_tools_changed_is_asked_at_the_next_turn()
    {
        await using var world = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        var (_, slug, _, thread) = await world.GiveAsync(fake);
        await world.CallAsync(thread, $"{slug}__echo", """{"text":"a"}""");
        fake.Tools = [FakeMcpServer.Tool("fresh", null, null)];
        var told = new TaskCompletionSource();
        world.Server.Services.GetRequiredService<McpConnections>().ToolsChanged += _ => told.TrySetResult();
        await fake.UntilSomebodyListensAsync();
        await fake.NotifyAsync("notifications/tools/list_changed");
        await told.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        (await world.CallAsync(thread, $"{slug}__fresh")).GetProperty("is_error").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task A_call_without_answer_ends_after_a_minute_and_the_turn_goes_on()
    {
        await using var world = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        var (_, slug, _, thread) = await world.GiveAsync(fake);
        var called = new TaskCompletionSource();
        var held = new TaskCompletionSource<JsonNode?>();
        fake.OnCall = _ =>
        {
            called.TrySetResult();
            return held.Task;
        };
        await using var stream = await world.Turns.SendAsync(thread, new { content = $"/tool {slug}__echo" });
        await called.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        world.Server.Time.Advance(TimeSpan.FromSeconds(59));
        world.Server.Time.Advance(TimeSpan.FromSeconds(2));
        (await stream.EndAsync()).Data.Text("finishReason").ShouldBe("stop");
        stream.Seen.Of("tool_result").Single().GetProperty("result").Text("error").ShouldBe("TOOL_TIMEOUT");
        held.SetResult(null);
    }

    [Fact]
    public async Task A_turn_with_an_older_listing_does_not_wait_for_a_server_that_hangs()
    {
        await using var world = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        var (mcp, slug, _, thread) = await world.GiveAsync(fake);
        await world.TestAsync(mcp);
        fake.Other = async http =>
        {
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
            return true;
        };
        world.Server.Time.Advance(TimeSpan.FromMinutes(11));
        var answer = world.Server.AskAsync(thread, "/echo here");
        await world.Server.Time.ArmedAsync(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3)).WaitAsync(TimeSpan.FromSeconds(20), Token);
        world.Server.Time.Advance(TimeSpan.FromSeconds(4));
        (await answer).Of("done").Single().Text("content").ShouldBe("here");
        world.Server.Time.Advance(TimeSpan.FromSeconds(20));
        slug.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Sessions_are_closed_when_nobody_used_them_for_a_while()
    {
        await using var world = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        var (_, slug, _, thread) = await world.GiveAsync(fake);
        await world.CallAsync(thread, $"{slug}__echo", """{"text":"a"}""");
        await fake.UntilSomebodyListensAsync();
        world.Server.Time.Advance(TimeSpan.FromMinutes(7));
        await fake.UntilNobodyListensAsync();
        (await world.CallAsync(thread, $"{slug}__echo", """{"text":"b"}""")).Text("result").ShouldBe("b");
        fake.Count("initialize").ShouldBe(2);
    }
}
