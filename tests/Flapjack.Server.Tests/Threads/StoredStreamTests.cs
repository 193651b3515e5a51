using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Threads.Recovery;
using Flapjack.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Threads;

/// <summary>Streams that are in no node's memory any more are told again byte for byte.</summary>
public sealed class StoredStreamTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("plain")]
    [InlineData("tools")]
    [InlineData("failed")]
    [InlineData("nothing said")]
    [InlineData("json")]
    [InlineData("no json")]
    public async Task A_stream_is_stored_as_it_was_sent(string kind)
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        switch (kind)
        {
            case "plain": world.Upstream.Reply(Script.Text("Grüße", " 🥞", "\n", "a\u0000b")); break;
            case "tools": world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "news", "{}"), new ScriptedCall("c2", "large", "{}")).After("Wait."), Script.Text("Here.")); break;
            case "failed": world.Upstream.Reply(Script.Text("Half ", "x").CutAfter(1)); break;
            case "json": world.Upstream.Reply(Script.Text("{\"a\": [1.0, ", "\"\\u00e9\"]}")); break;
            case "no json": world.Upstream.Reply(Script.Text("a"), Script.Text("b"), Script.Text("c")); break;
            default: world.Upstream.Reply(Script.Status(401, "{}")); break;
        }
        await using var sent = await world.SendAsync(thread, new { content = "go", responseFormat = kind.EndsWith("json", StringComparison.Ordinal) ? new { type = "json" } : null });
        await sent.EndAsync();
        await ShouldBeStoredAsync(world, sent);
    }

    [Fact]
    public async Task Every_stream_of_a_turn_is_stored()
    {
        var thread = await world.OpenAsync();
        await using var first = await world.SendAsync(thread, new { content = "/tool pick {}\n/tool point {}", tools = new[] { new { name = "pick" }, new { name = "point" } } });
        var calls = (await first.EndAsync()).Data.GetProperty("toolCalls").EnumerateArray().Select(c => c.Text("id")).ToList();
        await using var second = await world.SendAsync(thread, new { toolResults = new[] { new { toolCallId = calls[0], result = "1" } } });
        await second.DrainAsync();
        await ShouldBeStoredAsync(world, first, second);
        await using var third = await world.SendAsync(thread, new { toolResults = new[] { new { toolCallId = calls[1], result = "2" } } });
        await third.DrainAsync();
        third.Seen[^1].Event.ShouldBe("done");
        await ShouldBeStoredAsync(world, first, second, third);
    }

    internal static async Task ShouldBeStoredAsync(TurnWorld world, params EventStream[] sent)
    {
        var turn = sent[0].Seen[0].Data.GetProperty("turnId").GetGuid();
        var stored = await world.Server.Services.GetRequiredService<StoredStreams>().FindAsync(turn, await world.Server.FirstOrgAsync(), Token);
        stored.Count.ShouldBe(sent.Length);
        for (var i = 0; i < sent.Length; i++)
        {
            var sequence = stored[i].FirstSequence;
            stored[i].Events().Select(e => (Id: $"{turn}:{sequence++}", e.Type, System.Text.Encoding.UTF8.GetString(e.Data.Span))).ShouldBe(sent[i].Seen.Select(e => (Id: e.Id!, e.Event, e.Data.GetRawText())));
        }
    }
}
