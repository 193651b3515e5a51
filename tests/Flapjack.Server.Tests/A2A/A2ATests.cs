using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.A2A;

public sealed class A2ATests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_card_needs_no_credential_only_while_the_agent_is_published_as_public()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { description = "Counts" });
        var path = $"/a2a/agents/{agent}/.well-known/agent-card.json";
        await world.Server.Anonymous.GetAsync(path, Token).ShouldBeError(401, "UNAUTHORIZED");
        var card = await world.Server.Client.GetAsync(path, Token).ShouldBe(200);
        (card.Text("protocolVersion"), card.Text("name"), card.Text("description"), card.Text("preferredTransport")).ShouldBe(("0.3.0", "Ada", "Counts", "JSONRPC"));
        card.Text("url").ShouldBe(new Uri(world.Server.BaseAddress, $"/a2a/agents/{agent}").ToString());
        card.GetProperty("capabilities").GetProperty("streaming").GetBoolean().ShouldBeTrue();
        card.GetProperty("securitySchemes").GetProperty("bearer").Text("scheme").ShouldBe("bearer");
        card.GetProperty("skills").GetArrayLength().ShouldBe(1);

        var publish = $"/api/agents/{agent}/publish";
        await world.PostAsync(publish, new { slug = "a2a-card", visibility = "private" }).ShouldBe(201);
        await world.Server.Anonymous.GetAsync(path, Token).ShouldBeError(401, "UNAUTHORIZED");
        await world.PostAsync(publish, new { slug = "a2a-card", visibility = "public" }).ShouldBe(200);
        (await world.Server.Anonymous.GetAsync(path, Token).ShouldBe(200)).ToString().ShouldBe(card.ToString());
        await world.Server.Anonymous.PostAsync($"/a2a/agents/{agent}", Call("message/send", Message("hi")), Token).ShouldBeError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task Who_asks_for_a_card_is_counted_first_by_address_or_as_who_brings_a_credential()
    {
        await using var own = await TurnWorld.StartAsync(settings => settings["Limits:AnonymousRequestsPerMinute"] = "2");
        var agent = await own.Server.CreateAgentAsync();
        var path = $"/a2a/agents/{agent}/.well-known/agent-card.json";
        await own.Server.Anonymous.GetAsync(path, Token).ShouldBeError(401, "UNAUTHORIZED");
        await own.PostAsync($"/api/agents/{agent}/publish", new { slug = "a2a-counted", visibility = "public" }).ShouldBe(201);
        for (var i = 0; i < 3; i++) await own.Server.Client.GetAsync(path, Token).ShouldBe(200);
        await own.Server.Anonymous.GetAsync(path, Token).ShouldBe(200);
        await own.Server.Anonymous.GetAsync(path, Token).ShouldBeError(429, "RATE_LIMITED");
        var (_, foreign) = await own.Server.AddKeyAsync(await own.Server.AddOrgAsync("counted"));
        using var other = own.Server.ClientFor(foreign);
        await other.GetAsync(path, Token).ShouldBe(200);
        using var unknown = own.Server.ClientFor("nonsense");
        await unknown.GetAsync(path, Token).ShouldBeError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task A_message_is_a_task_of_a_context_and_goes_on_there()
    {
        var agent = await AgentAsync();
        var first = await SendAsync(agent, "/echo one");
        (first.Text("kind"), first.GetProperty("status").Text("state"), Answer(first)).ShouldBe(("task", "completed", "one"));
        first.GetProperty("history").EnumerateArray().Select(m => m.Text("role")).ShouldBe(["user", "agent"]);
        var context = first.Text("contextId");
        var second = await SendAsync(agent, "/history", new { contextId = context });
        (second.Text("contextId"), Answer(second)[..11]).ShouldBe((context, "messages: 3"));
        second.Text("id").ShouldNotBe(first.Text("id"));
        (await world.TraceAsync(Guid.Parse(context))).GetProperty("trace").GetProperty("tags")[0].GetString().ShouldBe("source:a2a");

        var read = await ResultAsync(agent, "tasks/get", new { id = first.Text("id"), historyLength = 0 });
        (Answer(read), read.TryGetProperty("history", out _)).ShouldBe(("one", false));
        await FailAsync(agent, "tasks/cancel", new { id = first.Text("id") }, -32002);
        await FailAsync(agent, "message/send", Message("more", new { taskId = first.Text("id") }), -32602);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"2\"")]
    [InlineData("1e99")]
    public async Task A_length_of_the_history_that_is_none_cuts_nothing(string length)
    {
        var agent = await AgentAsync();
        var task = await ResultAsync(agent, "message/send", new { message = Message("/echo one").message, configuration = new { historyLength = JsonElement.Parse(length) } });
        (Answer(task), task.GetProperty("history").GetArrayLength()).ShouldBe(("one", 2));
        (await ResultAsync(agent, "tasks/get", new { id = task.Text("id"), historyLength = JsonElement.Parse(length) })).GetProperty("history").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task A_streamed_answer_is_the_task_then_text_then_its_last_state()
    {
        var agent = await AgentAsync();
        var events = await EventsAsync(agent, "message/stream", Message("/count 3"));
        (events[0].Text("kind"), events[0].GetProperty("status").Text("state")).ShouldBe(("task", "working"));
        var pieces = events.Where(e => e.Text("kind") == "artifact-update").ToList();
        string.Concat(pieces.Select(p => p.GetProperty("artifact").GetProperty("parts")[0].Text("text"))).ShouldBe("1 2 3");
        pieces.Select(p => p.GetProperty("append").GetBoolean()).ShouldBe([false, true, true]);
        var last = events[^1];
        (last.Text("kind"), last.GetProperty("status").Text("state"), last.GetProperty("final").GetBoolean()).ShouldBe(("status-update", "completed", true));
        events.Select(e => e.Text("kind") == "task" ? e.Text("id") : e.Text("taskId")).Distinct().ShouldHaveSingleItem();
        var again = await EventsAsync(agent, "tasks/resubscribe", new { id = events[0].Text("id") });
        (again.Count, again[0].GetProperty("status").Text("state"), Answer(again[0])).ShouldBe((1, "completed", "1 2 3"));
    }

    [Fact]
    public async Task A_stream_is_given_again_under_its_idempotency_key()
    {
        var agent = await AgentAsync();
        var message = Message("/count 3");
        async Task<(string? Replayed, List<ServerEvent> Events)> AskAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/a2a/agents/{agent}") { Content = Call("message/stream", message) };
            request.Headers.Add("Idempotency-Key", $"a2a-{agent}");
            using var response = await world.Server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
            ((int)response.StatusCode).ShouldBe(200);
            return (response.Header("Idempotency-Replayed"), await ServerEvent.ReadAsync(response, Token).ToListAsync(Token));
        }
        var first = await AskAsync();
        var again = await AskAsync();
        (first.Replayed, again.Replayed).ShouldBe((null, "true"));
        again.Events.Select(e => e.Data.ToString()).ShouldBe(first.Events.Select(e => e.Data.ToString()));
    }

    [Fact]
    public async Task A_task_that_is_not_waited_for_can_be_come_back_to_and_cancelled()
    {
        var agent = await AgentAsync();
        var hold = world.Tools.Hold("a2a-cancel");
        var task = await ResultAsync(agent, "message/send", new { message = Message("/tool hold {\"key\":\"a2a-cancel\"}").message, configuration = new { blocking = false } });
        task.GetProperty("status").Text("state").ShouldBe("working");
        await hold.Entered;
        var id = task.Text("id");
        await FailAsync(agent, "message/send", Message("hi", new { contextId = task.Text("contextId") }), -32000, "THREAD_BUSY");
        await FailAsync(agent, "message/send", Message("hi", new { taskId = id }), -32004);
        using var attached = await PostAsync(agent, "tasks/resubscribe", new { id });
        (await ResultAsync(agent, "tasks/cancel", new { id })).GetProperty("status").Text("state").ShouldBe("canceled");
        var events = new List<JsonElement>();
        await foreach (var one in ServerEvent.ReadAsync(attached, Token)) events.Add(one.Data.GetProperty("result"));
        (events[0].GetProperty("status").Text("state"), events[^1].GetProperty("status").Text("state"), events[^1].GetProperty("final").GetBoolean()).ShouldBe(("working", "canceled", true));
    }

    [Fact]
    public async Task Failures_and_questions_to_the_user_are_states()
    {
        var agent = await AgentAsync();
        var failed = await SendAsync(agent, "/fail 401");
        failed.GetProperty("status").Text("state").ShouldBe("failed");
        failed.GetProperty("status").GetProperty("message").GetProperty("parts")[0].Text("text").ShouldBe("MODEL_AUTH_FAILED");
        var asking = await SendAsync(agent, "/tool locked {}");
        asking.GetProperty("status").Text("state").ShouldBe("auth-required");
        asking.GetProperty("status").GetProperty("message").GetProperty("parts")[0].Text("text").ShouldContain("https://example.com/authorise");
        var streamed = await EventsAsync(agent, "message/stream", Message("/tool locked {}"));
        streamed[^1].GetProperty("status").Text("state").ShouldBe("auth-required");
        // The user has permitted it and says so: the next task of the same context.
        var next = await SendAsync(agent, "/echo done", new { taskId = asking.Text("id"), contextId = asking.Text("contextId") });
        (next.Text("contextId"), Answer(next)).ShouldBe((asking.Text("contextId"), "done"));

        var thread = await world.Server.CreateThreadAsync(agent);
        await using var stream = await world.SendAsync(thread, new { content = "/tool mine {}", tools = new[] { new { name = "mine", description = "x", parameters = new { type = "object" } } } });
        await stream.EndAsync();
        var waiting = await ResultAsync(agent, "tasks/get", new { id = stream.Seen[0].Data.Text("turnId") });
        waiting.GetProperty("status").Text("state").ShouldBe("input-required");
    }

    [Fact]
    public async Task Parts_may_be_text_data_and_files()
    {
        var agent = await AgentAsync();
        var task = await ResultAsync(agent, "message/send", new
        {
            message = new
            {
                role = "user",
                parts = new object[]
                {
                    new { kind = "text", text = "/history" },
                    new { kind = "data", data = new { n = 1 } },
                    new { kind = "file", file = new { name = "note.txt", mimeType = "text/plain", bytes = Convert.ToBase64String("words"u8) } },
                },
            },
        });
        task.GetProperty("status").Text("state").ShouldBe("completed");
        var message = (await world.MessagesAsync(Guid.Parse(task.Text("contextId"))))[0];
        (message.Text("content"), message.GetProperty("attachments")[0].Text("name")).ShouldBe(("/history\n\n{\"n\":1}", "note.txt"));
    }

    [Theory]
    [InlineData("no/such", "{}", -32601)]
    [InlineData("message/send", "{}", -32602)]
    [InlineData("message/send", """{"message":{"role":"user","parts":[]}}""", -32602)]
    [InlineData("message/send", """{"message":{"role":"user","parts":[{"kind":"video"}]}}""", -32005)]
    [InlineData("message/send", """{"message":{"role":"user","parts":[{"kind":"text","text":"x"}],"contextId":"mine"}}""", -32602)]
    [InlineData("message/send", """{"message":{"role":"user","parts":[{"kind":"text","text":"x"}],"contextId":"01977777-0000-7000-8000-000000000000"}}""", -32602)]
    [InlineData("tasks/get", """{"id":"01977777-0000-7000-8000-000000000000"}""", -32001)]
    [InlineData("tasks/get", "{}", -32001)]
    [InlineData("tasks/pushNotificationConfig/set", "{}", -32003)]
    public async Task What_cannot_be_done_is_an_error_of_the_protocol(string method, string parameters, int code) =>
        await FailAsync(await AgentAsync(), method, JsonElement.Parse(parameters), code);

    [Fact]
    public async Task A_body_that_is_no_message_is_an_error_of_the_protocol()
    {
        var agent = await AgentAsync();
        foreach (var (body, code) in ((string, int)[])[("{", -32700), ("[]", -32600), ("""{"jsonrpc":"2.0","method":"tasks/get"}""", -32600)])
        {
            var answer = await world.Server.Client.PostAsync($"/a2a/agents/{agent}", JsonText.Content(body), Token).ShouldBe(200);
            answer.GetProperty("error").GetProperty("code").GetInt32().ShouldBe(code, body);
        }
    }

    [Fact]
    public async Task Tasks_of_another_agent_and_agents_of_another_organisation_do_not_exist()
    {
        var (agent, other) = (await AgentAsync(), await AgentAsync());
        var task = await SendAsync(agent, "/echo x");
        await FailAsync(other, "tasks/get", new { id = task.Text("id") }, -32001);
        await FailAsync(other, "message/send", Message("x", new { contextId = task.Text("contextId") }), -32602);
        using var stranger = world.Server.ClientFor((await world.Server.AddKeyAsync(await world.Server.AddOrgAsync("a2a-strangers"))).Text);
        await stranger.PostAsync($"/a2a/agents/{agent}", Call("message/send", Message("hi")), Token).ShouldBeError(404, "NOT_FOUND");
        await stranger.GetAsync($"/a2a/agents/{agent}/.well-known/agent-card.json", Token).ShouldBeError(404, "NOT_FOUND");
    }

    private Task<Guid> AgentAsync() => world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });

    private static Sent Message(string text, object? more = null)
    {
        var message = new Dictionary<string, object> { ["role"] = "user", ["messageId"] = Guid.CreateVersion7().ToString(), ["kind"] = "message", ["parts"] = new[] { new { kind = "text", text } } };
        if (more is not null) foreach (var field in JsonSerializer.SerializeToElement(more).EnumerateObject()) message[field.Name] = field.Value;
        return new(message);
    }

    private sealed record Sent(object message);

    private Task<JsonElement> SendAsync(Guid agent, string text, object? more = null) => ResultAsync(agent, "message/send", Message(text, more));

    private static string Answer(JsonElement task) => task.GetProperty("artifacts")[0].GetProperty("parts")[0].Text("text");

    private async Task<JsonElement> ResultAsync(Guid agent, string method, object parameters)
    {
        var answer = await PostAsync(agent, method, parameters).ShouldBe(200);
        answer.TryGetProperty("result", out var result).ShouldBeTrue(answer.ToString());
        return result;
    }

    private async Task FailAsync(Guid agent, string method, object parameters, int code, string? reason = null)
    {
        var answer = await PostAsync(agent, method, parameters).ShouldBe(200);
        answer.TryGetProperty("error", out var error).ShouldBeTrue(answer.ToString());
        error.GetProperty("code").GetInt32().ShouldBe(code, answer.ToString());
        if (reason is not null) error.GetProperty("data").Text("error").ShouldBe(reason);
    }

    private async Task<List<JsonElement>> EventsAsync(Guid agent, string method, object parameters)
    {
        using var response = await PostAsync(agent, method, parameters);
        var events = new List<JsonElement>();
        await foreach (var one in ServerEvent.ReadAsync(response, Token)) events.Add(one.Data.GetProperty("result"));
        return events;
    }

    private Task<HttpResponseMessage> PostAsync(Guid agent, string method, object parameters) =>
        world.Server.Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"/a2a/agents/{agent}") { Content = Call(method, parameters) }, HttpCompletionOption.ResponseHeadersRead, Token);

    private static StringContent Call(string method, object parameters) => TurnWorld.Body(new { jsonrpc = "2.0", id = 1, method, @params = parameters });
}
