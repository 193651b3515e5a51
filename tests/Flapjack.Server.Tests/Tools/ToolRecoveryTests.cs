using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Processes;
using Flapjack.Server.Threads.Turns;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tests.Tools;

/// <summary>A node is lost while an application works on its call. The application counts what it was asked to do.</summary>
public sealed class ToolRecoveryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_of_unknown_outcome_is_never_sent_twice()
    {
        await using var world = await ToolWorld.StartAsync();
        var (thread, tool, gate) = await BeginAsync(world, idempotent: false);
        await using var node = await TakeOverAsync(world);
        var answer = await AnswerAsync(world, thread, node);
        answer.Text("content").ShouldContain("OUTCOME_UNKNOWN");
        gate.SetResult();
        world.Receiver.At("/" + tool).Count().ShouldBe(1);
        var result = (await world.World.MessagesAsync(thread, "?include=tools")).Single(m => m.Text("role") == "tool");
        (result.GetProperty("is_error").GetBoolean(), JsonElement.Parse(result.Text("content")).Text("error")).ShouldBe((true, "OUTCOME_UNKNOWN"));
    }

    [Fact]
    public async Task A_call_that_may_be_repeated_is_sent_again_as_the_same_call()
    {
        await using var world = await ToolWorld.StartAsync();
        var (thread, tool, gate) = await BeginAsync(world, idempotent: true);
        await using var node = await TakeOverAsync(world);
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(20), "the call is sent again", () => Task.FromResult(world.Receiver.At("/" + tool).Count() == 2));
        gate.SetResult();
        (await AnswerAsync(world, thread, node)).Text("content").ShouldContain("paid");
        var hits = world.Receiver.At("/" + tool).ToList();
        hits.Count.ShouldBe(2);
        hits.Select(h => (h["Idempotency-Key"], h["X-Flapjack-Tool-Call-Id"], h["X-Flapjack-Message-Id"], h.Text)).Distinct().Count().ShouldBe(1);
        hits.Select(h => h["X-Flapjack-Nonce"]).ShouldBeUnique();
    }

    // The call has arrived; its answer waits for the gate.
    private static async Task<(Guid Thread, string Tool, TaskCompletionSource Gate)> BeginAsync(ToolWorld world, bool idempotent)
    {
        var (thread, _, tool) = await world.OpenAsync("pay", new { idempotent, retries = 3 });
        var (entered, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        world.Receiver.On("/" + tool, async (context, _) =>
        {
            entered.TrySetResult();
            await gate.Task.WaitAsync(Token);
            await context.Response.WriteAsync("""{"result":"paid"}""");
        });
        var stream = await world.World.SendAsync(thread, new { content = $$"""/tool {{tool}} {"amount":7}""", onDisconnect = "continue" });
        await stream.UntilAsync("tool_executing");
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        return (thread, tool, gate);
    }

    // Nobody has said for long that the turn runs, so another node takes it.
    private static async Task<ServerFixture> TakeOverAsync(ToolWorld world)
    {
        await using (var db = world.Server.Database())
        {
            await db.Turns.IgnoreQueryFilters().Where(t => t.Status == TurnStatuses.Running).ExecuteUpdateAsync(t => t.SetProperty(x => x.LeaseUntil, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc)), Token);
        }
        return world.Server.StartPeer();
    }

    private static async Task<JsonElement> AnswerAsync(ToolWorld world, Guid thread, ServerFixture node)
    {
        JsonElement answer = default;
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(20), "the turn is answered", async () =>
        {
            var messages = (await world.World.GetAsync($"/api/threads/{thread}/messages", node.Client)).GetProperty("messages").EnumerateArray().ToList();
            answer = messages[^1];
            return answer.Text("role") == "assistant";
        });
        return answer;
    }
}
