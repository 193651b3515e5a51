using Flapjack.Server.Tests.Accounts;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Threads.Multiplayer;

/// <summary>People who follow one conversation together.</summary>
public sealed class ListenerTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everybody_sees_the_same_events_whenever_they_come()
    {
        var (ada, adaId) = await UserAsync();
        var (bob, bobId) = await UserAsync();
        var (stranger, _) = await UserAsync();
        var agent = await world.Server.CreateAgentAsync("Guide", new { defaultModel = TurnWorld.OpenAI });
        var thread = (await world.PostAsync("/api/threads", new { agentId = agent, kind = "multiplayer" }, ada).ShouldBe(200)).GetProperty("id").GetGuid();
        await world.PostAsync($"/api/threads/{thread}/participants", new { userId = bobId.ToString(), displayName = "Bob" }, ada).ShouldBe(201);
        using (var quiet = await bob.GetAsync($"/api/threads/{thread}/stream", Token)) ((int)quiet.StatusCode).ShouldBe(204);

        var pieces = new SemaphoreSlim(0);
        world.Upstream.Reply(Script.Text("One", " two", " three", " four").Paced(() => pieces.WaitAsync(Token)));
        await using var first = await world.SendAsync(thread, new { content = "count" }, ada);
        await first.UntilAsync("meta");
        // Bob learns of Ada's message from the stream, and reads it.
        await using var second = await world.AttachAsync(thread, client: bob);
        var meta = await second.NextAsync();
        var asked = (await world.GetAsync($"/api/threads/{thread}/messages", bob)).GetProperty("messages")[0];
        (asked.Text("id"), asked.Text("sender_id"), asked.Text("sender_name"), asked.Text("content")).ShouldBe((meta.Data.Text("userMessageId"), adaId.ToString(), "Somebody", "count"));
        pieces.Release(2);
        await second.UntilAsync("token");
        var joint = await second.UntilAsync("token");
        await using var third = await world.AttachAsync(thread);
        // Nothing is there for this one yet, so its headers come with what comes next.
        var late = world.AttachAsync(thread, joint.Id, ada);
        await stranger.GetAsync($"/api/threads/{thread}/stream", Token).ShouldBeError(404, "NOT_FOUND");
        pieces.Release(2);
        await using var fourth = await late;

        foreach (var stream in (EventStream[])[first, second, third]) (await stream.EndAsync()).Data.Text("content").ShouldBe("One two three four");
        await fourth.DrainAsync();
        var events = first.Seen.Select(e => (e.Id, e.Event, e.Data.GetRawText())).ToList();
        foreach (var stream in (EventStream[])[second, third]) stream.Seen.Select(e => (e.Id, e.Event, e.Data.GetRawText())).ShouldBe(events);
        fourth.Seen.Select(e => (e.Id, e.Event, e.Data.GetRawText())).ShouldBe(events.Skip(events.FindIndex(e => e.Id == joint.Id) + 1));
    }

    [Fact]
    public async Task The_turn_goes_on_while_one_of_its_listeners_stays()
    {
        var agent = await world.Server.CreateAgentAsync("Guide", new { defaultModel = TurnWorld.OpenAI });
        var thread = await world.Server.CreateThreadAsync(agent, new { kind = "multiplayer" });
        var pieces = new SemaphoreSlim(0);
        world.Upstream.Reply(Script.Text("One", " two").Paced(() => pieces.WaitAsync(Token)));
        var sender = await world.SendAsync(thread, new { content = "count" });
        pieces.Release();
        await sender.UntilAsync("token");
        await using var listener = await world.AttachAsync(thread);
        await listener.UntilAsync("token");
        await sender.DisposeAsync();
        pieces.Release();
        (await listener.EndAsync()).Data.Text("content").ShouldBe("One two");
    }

    [Fact]
    public async Task A_user_writes_under_their_own_name_unless_they_give_another()
    {
        var (ada, adaId) = await UserAsync();
        var agent = await world.Server.CreateAgentAsync("Guide", new { defaultModel = "flapjack-offline" });
        var thread = (await world.PostAsync("/api/threads", new { agentId = agent }, ada).ShouldBe(200)).GetProperty("id").GetGuid();
        foreach (var fields in (object[])[new { content = "/tool pick", tools = new[] { new { name = "pick" } } }, new { content = "b", senderName = "A." }, new { content = "c", senderId = "u-9" }, new { content = "d", senderName = "Nine", senderId = "u-9" }])
        {
            await using var stream = await world.SendAsync(thread, fields, ada);
            var end = await stream.EndAsync();
            if (end.Event != "requires_action") continue;
            await using var more = await world.SendAsync(thread, new { content = "more", toolResults = new[] { new { toolCallId = end.Data.GetProperty("toolCalls")[0].Text("id"), result = "x" } } }, ada);
            await more.UntilAsync("done");
        }
        (await world.MessagesAsync(thread)).Where(m => m.Text("role") == "user").Select(m => (m.GetProperty("sender_name").GetString(), m.Text("sender_id"))).ShouldBe(
            [("Somebody", $"{adaId}"), ("Somebody", $"{adaId}"), ("A.", $"{adaId}"), (null, "u-9"), ("Nine", "u-9")]);
    }

    private async Task<(HttpClient Client, Guid Id)> UserAsync()
    {
        var mail = $"{Guid.NewGuid():N}@example.com";
        var id = await world.Server.AddUserAsync(mail, (await world.Server.FirstOrgAsync(), "member"));
        return (await world.Server.ClientOfAsync(mail), id);
    }
}
