using Flapjack.Server.Tests.Accounts;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Threads.Multiplayer;

/// <summary>Who answers a message.</summary>
public sealed class AddressingTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_that_calls_nobody_is_stored_and_not_answered()
    {
        var crew = await Crew.OpenAsync(world, TurnWorld.OpenAI, []);
        var asked = world.Upstream.Requests.Count;
        var events = await crew.AskAsync(new { content = "hello @somebody, write to ada@example.com", senderName = "Eve" });
        Story.Of(events).ShouldBe(["meta", """not_addressed ["somebody"]""", "done"]);
        var done = events[^1].Data;
        done.EnumerateObject().Select(p => p.Name).ShouldBe(["ok", "content", "usage", "turnId", "finishReason"]);
        (done.Text("content"), done.Text("finishReason"), done.GetProperty("usage").GetProperty("input_tokens").GetInt64()).ShouldBe(("", "not_addressed", 0));
        Story.Of(await crew.AskAsync(new { content = "hello" })).ShouldBe(["meta", "not_addressed []", "done"]);
        world.Upstream.Requests.Count.ShouldBe(asked);
        var whole = await world.PostAsync($"/api/threads/{crew.Thread}/messages", new { content = "hello", stream = false }).ShouldBe(200);
        (whole.Text("content"), whole.Text("finishReason"), whole.GetProperty("events").GetArrayLength()).ShouldBe(("", "not_addressed", 0));

        // What was said before is known to the agent once it is called.
        world.Upstream.Reply(Script.Text("Yes?"));
        await crew.AskAsync(new { content = "@ada?", senderName = "Eve" });
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:Eve: hello @somebody, write to ada@example.com", "user:hello", "user:hello", "user:Eve: @ada?"]);
        (await crew.TalkAsync())[^1].ShouldBe("Ada: Yes?");
        (await world.TraceAsync(crew.Thread)).GetProperty("trace").Text("status").ShouldBe("ok");
    }

    [Theory]
    [InlineData("@ADA hi", "Ada")]
    [InlineData("hi @ada-", "Ada")]
    [InlineData("@a_helper hi", "Ada")]
    [InlineData("@bob-builder hi", "Bob Builder")]
    [InlineData("@fixer hi", "Bob Builder")]
    [InlineData("@carl @ada @carl hi", "Carl Ada")]
    [InlineData("@ada @a_helper hi", "Ada")]
    [InlineData("@adam hi", "")]
    public async Task Handles_are_names_and_extra_names_in_any_case(string content, string answering)
    {
        var crew = await Crew.OpenAsync(world, "flapjack-offline", ["Bob Builder", "Carl"], new { mentionNames = (string[])["a_helper", "carl-x"] });
        await crew.ConfigureAsync(new { mentionNames = (string[])["fixer", "ada"] }, crew.Others[0]);
        await crew.AskAsync(new { content });
        string.Join(' ', (await world.MessagesAsync(crew.Thread)).Where(m => m.Text("role") == "assistant").Select(m => m.Text("sender_name"))).ShouldBe(answering);
    }

    [Fact]
    public async Task Who_need_not_be_called_answers_when_nobody_is()
    {
        var crew = await Crew.OpenAsync(world, "flapjack-offline", ["Bob"], new { respondMode = "always" });
        await crew.AskAsync(new { content = "/echo one" });
        await crew.AskAsync(new { content = "@bob /echo two", senderName = "Eve" });
        // Without the config the agent answers always, and alone.
        await crew.ConfigureAsync(new { enabled = false, respondMode = "mention" });
        await crew.AskAsync(new { content = "@bob\n/echo three" });
        (await crew.TalkAsync()).Where(line => !line.StartsWith("user", StringComparison.Ordinal) && !line.StartsWith("Eve", StringComparison.Ordinal)).ShouldBe(["Ada: one", "Bob: two", "Ada: three"]);
    }

    [Fact]
    public async Task A_single_thread_is_answered_by_its_agent_whatever_is_said()
    {
        var crew = await Crew.OpenAsync(world, "flapjack-offline", ["Bob"]);
        var thread = await world.Server.CreateThreadAsync(crew.Ada);
        var events = await world.Server.AskAsync(thread, "@bob\n/echo mine");
        events[^1].Data.Text("content").ShouldBe("mine");
        var answer = (await world.MessagesAsync(thread))[1];
        (answer.GetProperty("sender_name").GetString(), answer.GetProperty("sender_id").GetString()).ShouldBe((null, null));
    }

    [Fact]
    public async Task An_agent_that_was_deleted_is_not_called_any_more()
    {
        var crew = await Crew.OpenAsync(world, "flapjack-offline", ["Bob"]);
        await world.Server.Client.DeleteAsync($"/api/agents/{crew.Others[0]}", Token).ShouldBe(200);
        Story.Of(await crew.AskAsync(new { content = "@bob hi" })).ShouldBe(["meta", """not_addressed ["bob"]""", "done"]);
    }

    [Fact]
    public async Task Faults_of_any_called_agent_are_ordinary_errors_and_store_nothing()
    {
        var crew = await Crew.OpenAsync(world, "flapjack-offline", ["Bob"]);
        await world.PatchAsync($"/api/agents/{crew.Ada}", new { toolProfiles = new { quiet = new { tools = Array.Empty<string>() } } }).ShouldBe(200);
        await world.PostAsync($"/api/threads/{crew.Thread}/messages", new { content = "@ada @bob hi", toolProfile = "quiet" }).ShouldBeError(422, "VALIDATION_ERROR", "toolProfile");
        (await world.MessagesAsync(crew.Thread)).ShouldBeEmpty();
        (await crew.AskAsync(new { content = "@ada\n/echo fine", toolProfile = "quiet" }))[^1].Data.Text("content").ShouldBe("fine");
    }

    [Fact]
    public async Task Names_of_senders_can_be_kept_from_the_model()
    {
        var crew = await Crew.OpenAsync(world, TurnWorld.OpenAI, []);
        world.Upstream.Reply(Script.Text("a"), Script.Text("b"));
        await crew.AskAsync(new { content = "@ada one", senderName = "Eve" });
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:Eve: @ada one"]);
        await crew.ConfigureAsync(new { includeSenderNames = false });
        await crew.AskAsync(new { content = "@ada two", senderName = "Eve" });
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:@ada one", "assistant:a", "user:@ada two"]);
        (await world.MessagesAsync(crew.Thread))[0].Text("sender_name").ShouldBe("Eve");
    }
}
