using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.ScheduledTasks;

/// <summary>Scheduling from inside a turn. The clock stands at noon of 1 April 2026.</summary>
public sealed class ScheduleToolTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static readonly string[] Names = ["schedule_task", "list_scheduled_tasks", "update_scheduled_task", "cancel_scheduled_task"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_model_schedules_looks_changes_and_cancels()
    {
        var agent = await world.AgentAsync();
        var thread = await world.Server.CreateThreadAsync(agent, new { userId = "u-17" });
        var task = await CallAsync(thread, "schedule_task", new { prompt = "Ask how it went", title = "Check", in_minutes = 90 });
        (task.Text("created_by"), task.Text("run_at"), task.Text("next_run_at"), task.GetProperty("thread_id").GetGuid()).ShouldBe(("agent", "2026-04-01T13:30:00Z", "2026-04-01T13:30:00Z", thread));
        (await world.ConfigAsync(agent)).GetProperty("tasks")[0].GetRawText().ShouldBe(task.GetRawText());

        var list = await CallAsync(thread, "list_scheduled_tasks", new { });
        (list.Text("now"), list.GetProperty("tasks")[0].GetRawText()).ShouldBe(("2026-04-01T12:00:00Z", task.GetRawText()));
        (await CallAsync(thread, "list_scheduled_tasks", new { status = "finished" })).GetProperty("tasks").GetArrayLength().ShouldBe(0);

        var changed = await CallAsync(thread, "update_scheduled_task", new { task_id = task.Text("id"), cron = "0 9 * * *", timezone = "Europe/Oslo", same_thread = false });
        (changed.Text("next_run_at"), changed.GetProperty("run_at").ValueKind, changed.GetProperty("thread_id").ValueKind, changed.Text("prompt")).ShouldBe(("2026-04-02T07:00:00Z", JsonValueKind.Null, JsonValueKind.Null, "Ask how it went"));
        (await CallAsync(thread, "update_scheduled_task", new { task_id = task.Text("id"), status = "paused" })).Text("status").ShouldBe("paused");

        (await CallAsync(thread, "cancel_scheduled_task", new { task_id = task.Text("id") })).GetProperty("cancelled").GetBoolean().ShouldBeTrue();
        (await CallAsync(thread, "cancel_scheduled_task", new { task_id = task.Text("id") })).Text("error").ShouldBe("NOT_FOUND");
        (await world.ConfigAsync(agent)).GetProperty("tasks").GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData("""/tool schedule_task {"in_minutes":5}""", "INVALID_ARGUMENTS")]
    [InlineData("""/tool schedule_task {"prompt":"p"}""", "INVALID_ARGUMENTS")]
    [InlineData("""/tool schedule_task {"prompt":"p","in_minutes":5,"every_minutes":5}""", "INVALID_ARGUMENTS")]
    [InlineData("""/tool schedule_task {"prompt":"p","in_minutes":5,"run_at":"2027-01-01"}""", "INVALID_ARGUMENTS")]
    [InlineData("""/tool schedule_task {"prompt":"p","in_minutes":0}""", "INVALID_ARGUMENTS")]
    [InlineData("""/tool schedule_task {"prompt":"p","run_at":"2026-01-01T00:00:00Z"}""", "INVALID_ARGUMENTS")]
    [InlineData("""/tool schedule_task {"prompt":"p","cron":"often"}""", "INVALID_ARGUMENTS")]
    [InlineData("""/tool schedule_task {"prompt":"p","every_minutes":4}""", "INVALID_ARGUMENTS")]
    [InlineData("""/tool schedule_task {"prompt":"p","every_minutes":5,"timezone":"Oslo"}""", "INVALID_ARGUMENTS")]
    [InlineData("""/tool update_scheduled_task {"task_id":"0197a1c2-7d10-7c31-9a55-0b6f2f7f0001"}""", "NOT_FOUND")]
    [InlineData("""/tool update_scheduled_task {"task_id":"x"}""", "INVALID_ARGUMENTS")]
    public async Task A_refused_call_makes_nothing(string directive, string code)
    {
        var agent = await world.AgentAsync();
        var thread = await world.Server.CreateThreadAsync(agent);
        (await ResultAsync(thread, directive)).Text("error").ShouldBe(code);
        (await world.ConfigAsync(agent)).GetProperty("tasks").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_full_agent_tells_its_model_so()
    {
        var agent = await world.AgentAsync();
        await world.PutAsync(agent, new { maxActive = 1 }).ShouldBe(200);
        var thread = await world.Server.CreateThreadAsync(agent);
        await CallAsync(thread, "schedule_task", new { prompt = "p", every_minutes = 5 });
        (await CallAsync(thread, "schedule_task", new { prompt = "p", every_minutes = 5 })).Text("error").ShouldBe("CONFLICT");
    }

    [Fact]
    public async Task What_a_model_schedules_comes_for_the_same_user_in_the_same_thread()
    {
        await using var own = await TurnWorld.StartAsync();
        var agent = await own.AgentAsync();
        var thread = await own.Server.CreateThreadAsync(agent, new { userId = "u-17" });
        await using var stream = await own.SendAsync(thread, new { content = """/tool schedule_task {"prompt":"/echo reminded","in_minutes":5}""" });
        await stream.EndAsync();
        var task = stream.Seen.Of("tool_result").Single().GetProperty("result");
        (await own.RunsAsync(agent, task, 1, TimeSpan.FromMinutes(5))).Text("status").ShouldBe("finished");
        (await own.MessagesAsync(thread))[^1].Text("content").ShouldBe("reminded");
        (await own.TraceAsync(thread)).GetProperty("trace").Text("user_id").ShouldBe("u-17");
    }

    [Fact]
    public async Task A_model_reaches_the_tasks_of_its_user_and_of_nobody()
    {
        var agent = await world.AgentAsync();
        var (ann, bob) = (await world.Server.CreateThreadAsync(agent, new { userId = "ann" }), await world.Server.CreateThreadAsync(agent, new { userId = "bob" }));
        await world.TaskAsync(agent, new { prompt = "nobody's", everyMinutes = 5 });
        var hers = await CallAsync(ann, "schedule_task", new { prompt = "hers", every_minutes = 5 });
        (await CallAsync(ann, "list_scheduled_tasks", new { })).GetProperty("tasks").GetArrayLength().ShouldBe(2);
        (await CallAsync(bob, "list_scheduled_tasks", new { })).GetProperty("tasks").EnumerateArray().Select(t => t.Text("prompt")).ShouldBe(["nobody's"]);
        (await CallAsync(bob, "cancel_scheduled_task", new { task_id = hers.Text("id") })).Text("error").ShouldBe("NOT_FOUND");
        (await CallAsync(bob, "update_scheduled_task", new { task_id = hers.Text("id"), status = "paused" })).Text("error").ShouldBe("NOT_FOUND");
        (await world.ReadTaskAsync(agent, hers)).Text("status").ShouldBe("active");
    }

    [Fact]
    public async Task The_tools_are_there_while_tasks_are_switched_on()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.OpenAI });
        var thread = await world.Server.CreateThreadAsync(agent);
        (await OfferedAsync(thread)).ShouldNotContain(n => Names.Contains(n));
        await world.PutAsync(agent, new { enabled = true }).ShouldBe(200);
        (await OfferedAsync(thread)).Intersect(Names).ShouldBe(Names, ignoreOrder: true);
        await world.PatchAsync($"/api/agents/{agent}", new { scheduledTasksEnabled = false }).ShouldBe(200);
        (await OfferedAsync(thread)).ShouldNotContain(n => Names.Contains(n));
        await world.PatchAsync($"/api/agents/{agent}", new { scheduledTasksEnabled = true }).ShouldBe(200);
        (await OfferedAsync(thread)).Intersect(Names).ShouldBe(Names, ignoreOrder: true);
        var born = await world.Server.CreateThreadAsync(await world.AgentAsync(TurnWorld.OpenAI));
        (await OfferedAsync(born)).Intersect(Names).ShouldBe(Names, ignoreOrder: true);
    }

    [Fact]
    public async Task A_profile_decides_which_of_them_may_be_called()
    {
        var agent = await world.AgentAsync(profiles: new { look = new { tools = new[] { "list_*" } } });
        var thread = await world.Server.CreateThreadAsync(agent);
        (await ResultAsync(thread, """/tool schedule_task {"prompt":"p","in_minutes":5}""", "look")).Text("error").ShouldBe("TOOL_NOT_ALLOWED");
        (await ResultAsync(thread, "/tool list_scheduled_tasks {}", "look")).GetProperty("tasks").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Visitors_of_a_published_chat_schedule_nothing()
    {
        var agent = await world.AgentAsync(TurnWorld.OpenAI);
        await world.PostAsync($"/api/agents/{agent}/publish", new { slug = "tasks-chat", visibility = "public" }).ShouldBe(201);
        var opened = await world.PostAsync("/api/public/chat/tasks-chat/threads", new { }, world.Server.Anonymous).ShouldBe(200);
        world.Upstream.Reply(Script.Text("ok"));
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/public/chat/tasks-chat/threads/{opened.Text("id")}/messages") { Content = TurnWorld.Body(new { content = "hi" }) };
        if (opened.TryGetProperty("sessionToken", out var session) && session.ValueKind == JsonValueKind.String) request.Headers.Add("X-Flapjack-Session", session.GetString());
        await using var stream = await EventStream.OpenAsync(await world.Server.Anonymous.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token));
        (await stream.EndAsync()).Event.ShouldBe("done");
        world.Upstream.LastRequest.Body.GetRawText().ShouldContain("weather");
        world.Upstream.LastRequest.Body.GetRawText().ShouldNotContain("schedule_task");
    }

    [Fact]
    public async Task The_schemas_are_those_of_the_contract()
    {
        var thread = await world.Server.CreateThreadAsync(await world.AgentAsync(TurnWorld.OpenAI));
        await OfferedAsync(thread);
        var schemas = world.Upstream.LastRequest.Body.GetProperty("tools").EnumerateArray().Where(t => Names.Contains(t.Text("name"))).ToDictionary(t => t.Text("name"), t => t.GetProperty("parameters"));
        foreach (var schema in schemas.Values) schema.GetProperty("additionalProperties").GetBoolean().ShouldBeFalse();
        Shape("schedule_task").ShouldBe("prompt! title run_at in_minutes cron every_minutes timezone same_thread");
        Shape("list_scheduled_tasks").ShouldBe("status");
        Shape("update_scheduled_task").ShouldBe("task_id! prompt title run_at in_minutes cron every_minutes timezone same_thread status");
        Shape("cancel_scheduled_task").ShouldBe("task_id!");

        string Shape(string tool)
        {
            var required = schemas[tool].TryGetProperty("required", out var names) ? names.EnumerateArray().Select(n => n.GetString()).ToList() : [];
            return string.Join(' ', schemas[tool].GetProperty("properties").EnumerateObject().Select(p => p.Name + (required.Contains(p.Name) ? "!" : "")));
        }
    }

    private Task<JsonElement> CallAsync(Guid thread, string tool, object arguments) => ResultAsync(thread, $"/tool {tool} {JsonSerializer.Serialize(arguments)}");

    private async Task<JsonElement> ResultAsync(Guid thread, string directive, string? toolProfile = null)
    {
        await using var stream = await world.SendAsync(thread, toolProfile is null ? new { content = directive } : new { content = directive, toolProfile });
        await stream.EndAsync();
        return stream.Seen.Of("tool_result").Single().GetProperty("result");
    }

    private async Task<List<string>> OfferedAsync(Guid thread)
    {
        world.Upstream.Reply(Script.Text("ok"));
        await using var stream = await world.SendAsync(thread, new { content = "hi" });
        (await stream.EndAsync()).Event.ShouldBe("done");
        return [.. world.Upstream.LastRequest.Body.GetProperty("tools").EnumerateArray().Select(t => t.Text("name"))];
    }
}
