using System.Text.Json;
using Flapjack.Server.Platform;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Files;
using Flapjack.Server.Threads;
using Flapjack.Testing;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tests.Threads;

/// <summary>Copies of threads that go their own way.</summary>
public sealed class ForkTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fork_has_everything_up_to_its_message_and_goes_its_own_way()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI, new { toolProfiles = new { triage = new { tools = new[] { "*" } } } },
            new { title = "Original", activeProfile = "triage", systemPromptOverlay = "Be brief.", resourceBindings = new[] { new { type = "customer", id = "42" } }, userId = "u-7", metadata = new { a = 1 } });
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "words", "{}")).After("Let me see."), Script.Text("First."), Script.Text("Second."));
        await AskAsync(thread, "one");
        await AskAsync(thread, "two");
        var original = await world.MessagesAsync(thread, "?include=tools");
        original.Select(m => m.Text("role")).ShouldBe(["user", "tool", "assistant", "user", "assistant"]);

        var fork = await ForkAsync(thread, new { messageId = original[2].Text("id"), title = "Copy" });
        (fork.Text("title"), fork.Text("kind"), fork.Text("status"), fork.Text("active_profile"), fork.Text("system_prompt_overlay"), fork.Text("user_id")).ShouldBe(("Copy", "single", "active", "triage", "Be brief.", "u-7"));
        fork.GetProperty("resource_bindings").ToString().ShouldBe("""[{"type":"customer","id":"42"}]""");
        (fork.Text("parent_thread_id"), fork.Text("forked_from_message_id")).ShouldBe((thread.ToString(), original[2].Text("id")));
        (await world.GetAsync($"/api/threads/{fork.Text("id")}")).ToString().ShouldBe(fork.ToString());

        var copy = fork.GetProperty("id").GetGuid();
        var copied = await world.MessagesAsync(copy, "?include=tools");
        copied.Select(Without).ShouldBe(original.Take(3).Select(Without));
        copied.Select(m => m.Text("id")).Intersect(original.Select(m => m.Text("id"))).ShouldBeEmpty();
        copied.Select(m => m.GetProperty("id").GetGuid().Version).ShouldAllBe(version => version == 7);

        await AskAsync(copy, "three");
        Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:one", "assistant:Let me see.", "call:c1", "result:c1", "assistant:First.", "user:three"]);
        (await world.MessagesAsync(thread, "?include=tools")).Select(m => m.ToString()).ShouldBe(original.Select(m => m.ToString()));
    }

    [Fact]
    public async Task Without_a_message_everything_is_copied_even_nothing()
    {
        var thread = await world.OpenAsync();
        var empty = await ForkAsync(thread, "{}");
        empty.GetProperty("forked_from_message_id").ValueKind.ShouldBe(JsonValueKind.Null);
        empty.GetProperty("title").ValueKind.ShouldBe(JsonValueKind.Null);
        await AskAsync(thread, "/echo hi");
        var messages = await world.MessagesAsync(thread);
        var fork = await ForkAsync(thread, "");
        fork.Text("forked_from_message_id").ShouldBe(messages[^1].Text("id"));
        (await world.MessagesAsync(fork.GetProperty("id").GetGuid())).Select(m => m.Text("content")).ShouldBe(["/echo hi", "hi"]);
        var again = await ForkAsync(fork.GetProperty("id").GetGuid(), new { message_id = (await world.MessagesAsync(fork.GetProperty("id").GetGuid()))[0].Text("id") });
        (await world.MessagesAsync(again.GetProperty("id").GetGuid())).Select(m => m.Text("content")).ShouldBe(["/echo hi"]);
    }

    [Fact]
    public async Task Unknown_messages_and_faults_are_refused()
    {
        var (thread, other) = (await world.OpenAsync(), await world.OpenAsync());
        await AskAsync(other, "/echo hi");
        var path = $"/api/threads/{thread}/fork";
        await world.PostAsync(path, new { messageId = Guid.CreateVersion7() }).ShouldBeError(404, "NOT_FOUND");
        await world.PostAsync(path, new { messageId = (await world.MessagesAsync(other))[0].Text("id") }).ShouldBeError(404, "NOT_FOUND");
        await world.PostAsync(path, new { messageId = "x" }).ShouldBeError(422, "VALIDATION_ERROR", "messageId");
        await world.PostAsync(path, new { title = new string('t', 301) }).ShouldBeError(422, "VALIDATION_ERROR", "title");
        await world.PostAsync($"/api/threads/{Guid.CreateVersion7()}/fork", "{}").ShouldBeError(404, "NOT_FOUND");
        var agent = (await world.ThreadAsync(thread)).Text("agent_id");
        await world.Server.Client.DeleteAsync($"/api/agents/{agent}", Token).ShouldBe(200);
        await world.PostAsync(path, "{}").ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task What_a_turn_is_writing_cannot_be_forked_but_what_came_before_can()
    {
        var thread = await world.OpenAsync();
        await AskAsync(thread, "/echo before");
        var before = (await world.MessagesAsync(thread))[^1].Text("id");
        await using var running = await world.SendAsync(thread, new { content = """/tool hold {"key":"fork"}""" });
        var meta = await running.NextAsync();
        await world.Tools.Hold("fork").Entered;
        (await world.PostAsync($"/api/threads/{thread}/fork", "{}").ShouldBeError(409, "THREAD_BUSY")).Text("detail").ShouldBe(meta.Data.Text("turnId"));
        await world.PostAsync($"/api/threads/{thread}/fork", new { messageId = meta.Data.Text("userMessageId") }).ShouldBeError(409, "THREAD_BUSY");
        var fork = await ForkAsync(thread, new { messageId = before });
        fork.GetProperty("active_turn_id").ValueKind.ShouldBe(JsonValueKind.Null);
        await AskAsync(fork.GetProperty("id").GetGuid(), "/echo free");
        world.Tools.Hold("fork").Release();
        (await running.EndAsync()).Event.ShouldBe("done");
    }

    [Fact]
    public async Task Calls_that_wait_for_their_client_are_closed_in_the_fork_and_stay_open_in_the_original()
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.ToolCalls(new ScriptedCall("c1", "pick", "{}"), new ScriptedCall("c2", "pick", "{}")));
        await using (var asked = await world.SendAsync(thread, new { content = "go", tools = new[] { new { name = "pick" } } })) (await asked.EndAsync()).Event.ShouldBe("requires_action");
        var rows = await world.MessagesAsync(thread, "?include=tools");
        // In the middle of a step: its other calls come along.
        foreach (var body in (object[])["{}", new { messageId = rows.First(m => m.Text("role") == "tool").Text("id") }])
        {
            var fork = (await ForkAsync(thread, body)).GetProperty("id").GetGuid();
            (await world.ThreadAsync(fork)).GetProperty("awaiting_action").GetBoolean().ShouldBeFalse();
            await world.PostAsync($"/api/threads/{fork}/messages", new { toolResults = new[] { new { toolCallId = "c1", result = "1" } } }).ShouldBeError(422, "VALIDATION_ERROR", "toolResults");
            await AskAsync(fork, "never mind");
            Prompts.Shape(world.Upstream.LastRequest.Body).ShouldBe(["user:go", "call:c1", "call:c2", "result:c1", "result:c2", "user:never mind"]);
            world.Upstream.LastRequest.Body.GetProperty("input")[3].Text("output").ShouldBe("""{"error":"CANCELLED"}""");
        }
        await using var results = await world.SendAsync(thread, new { toolResults = new[] { new { toolCallId = "c1", result = "1" }, new { toolCallId = "c2", result = "2" } } });
        (await results.UntilAsync("done")).Data.Text("content").ShouldBe("ok");
    }

    [Fact]
    public async Task Attachments_are_shared_and_stay_as_long_as_one_thread_uses_them()
    {
        var thread = await world.OpenAsync();
        await using (var sent = await world.SendAsync(thread, new { attachments = new[] { Samples.Inline("file", "Oslo is cold."u8.ToArray(), "city.txt") } })) await sent.EndAsync();
        var (first, second) = ((await ForkAsync(thread, "{}")).GetProperty("id").GetGuid(), (await ForkAsync(thread, "{}")).GetProperty("id").GetGuid());
        var file = (await world.MessagesAsync(first))[0].GetProperty("attachments")[0].Text("file_id");
        await world.Server.Client.DeleteAsync($"/api/threads/{thread}", Token).ShouldBe(200);
        await world.Server.Client.DeleteAsync($"/api/threads/{first}", Token).ShouldBe(200);
        (await AskAsync(second, "Is Oslo cold?")).ShouldBe("Oslo is cold. [city.txt]");
        await world.Server.Client.DeleteAsync($"/api/threads/{second}", Token).ShouldBe(200);
        await world.Server.Client.GetAsync($"/api/files/{file}", Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task A_long_thread_is_copied_whole_and_in_order()
    {
        const int Count = 2_000;
        var thread = await world.OpenAsync();
        var org = await world.Server.FirstOrgAsync();
        await using (var db = world.Server.Database())
        {
            for (var i = 1; i <= Count; i++)
            {
                db.Messages.Add(new Message { Id = Ids.New(), OrgId = org, ThreadId = thread, Seq = i, Role = i % 2 == 0 ? "assistant" : "user", Content = $"message {i}", CreatedAt = world.Server.Time.Now() });
            }
            await db.SaveChangesAsync(Token);
            await db.Threads.IgnoreQueryFilters().Where(t => t.Id == thread).ExecuteUpdateAsync(rows => rows.SetProperty(t => t.LastSeq, Count), Token);
        }
        var fork = (await ForkAsync(thread, "{}")).GetProperty("id").GetGuid();
        var last = await world.GetAsync($"/api/threads/{fork}/messages?limit=2&order=desc");
        last.GetProperty("total").GetInt64().ShouldBe(Count);
        last.GetProperty("messages").EnumerateArray().Select(m => m.Text("content")).ShouldBe([$"message {Count}", $"message {Count - 1}"]);
        await AskAsync(fork, "/echo on");
    }

    [Fact]
    public async Task A_user_forks_what_they_see_and_owns_the_copy()
    {
        var mail = $"{Guid.NewGuid():N}@example.com";
        var id = await world.Server.AddUserAsync(mail, (await world.Server.FirstOrgAsync(), "member"));
        var user = await world.Server.ClientOfAsync(mail);
        var thread = await world.OpenAsync(thread: new { kind = "multiplayer", userId = "u-1" });
        await world.PostAsync($"/api/threads/{thread}/fork", "{}", user).ShouldBeError(404, "NOT_FOUND");
        await world.PostAsync($"/api/threads/{thread}/participants", new { userId = id.ToString() }).ShouldBe(201);
        var fork = await world.PostAsync($"/api/threads/{thread}/fork", "{}", user).ShouldBe(201);
        fork.Text("user_id").ShouldBe(id.ToString());
        (await world.GetAsync($"/api/threads/{fork.Text("id")}/participants", user)).EnumerateArray().Select(p => (p.Text("user_id"), p.Text("role"))).ShouldBe([(id.ToString(), "owner")]);
    }

    private Task<JsonElement> ForkAsync(Guid thread, object body) => world.PostAsync($"/api/threads/{thread}/fork", body).ShouldBe(201);

    private async Task<string> AskAsync(Guid thread, string content)
    {
        await using var stream = await world.SendAsync(thread, new { content });
        return (await stream.EndAsync()).Data.Text("content");
    }

    private static string Without(JsonElement message) => string.Join(", ", message.EnumerateObject().Where(p => p.Name != "id").Select(p => p.ToString()));
}
