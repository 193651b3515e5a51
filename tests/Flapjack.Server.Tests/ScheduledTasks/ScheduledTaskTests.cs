using System.Text.Json;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.ScheduledTasks;

/// <summary><c>/api/agents/{agentId}/scheduled-tasks</c>: the config, and making, changing and deleting tasks. The clock stands at noon of Wednesday, 1 April 2026.</summary>
public sealed class ScheduledTaskTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_config_is_there_before_it_is_saved_and_a_put_changes_what_it_names()
    {
        var agent = await world.Server.CreateAgentAsync();
        (await world.ConfigAsync(agent)).GetRawText().ShouldBe("""{"enabled":false,"max_active":20,"min_interval_minutes":5,"timezone":"UTC","tasks":[],"updated_at":null}""");
        (await world.PutAsync(agent, new { enabled = true, timezone = "Europe/Oslo" }).ShouldBe(200)).GetRawText()
            .ShouldBe("""{"enabled":true,"max_active":20,"min_interval_minutes":5,"timezone":"Europe/Oslo","tasks":[],"updated_at":"2026-04-01T12:00:00Z"}""");
        (await world.PutAsync(agent, new { max_active = 3, minIntervalMinutes = 1 }).ShouldBe(200)).GetRawText()
            .ShouldBe("""{"enabled":true,"max_active":3,"min_interval_minutes":1,"timezone":"Europe/Oslo","tasks":[],"updated_at":"2026-04-01T12:00:00Z"}""");
        (await world.PutAsync(agent, """{"maxActive":null,"timezone":null}""").ShouldBe(200)).GetProperty("timezone").GetString().ShouldBe("UTC");
    }

    [Theory]
    [InlineData("""{"maxActive":0}""", "maxActive")]
    [InlineData("""{"maxActive":201}""", "maxActive")]
    [InlineData("""{"minIntervalMinutes":0}""", "minIntervalMinutes")]
    [InlineData("""{"minIntervalMinutes":1441}""", "minIntervalMinutes")]
    [InlineData("""{"timezone":"Europe/Atlantis"}""", "timezone")]
    public async Task A_config_out_of_range_is_refused(string body, string field)
    {
        var agent = await world.Server.CreateAgentAsync();
        await world.PutAsync(agent, body).ShouldBeError(422, "VALIDATION_ERROR", field);
        (await world.ConfigAsync(agent)).GetProperty("updated_at").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task The_agents_field_and_the_config_are_one()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { scheduledTasksEnabled = true });
        (await world.ConfigAsync(agent)).GetProperty("enabled").GetBoolean().ShouldBeTrue();
        await world.PutAsync(agent, new { enabled = false }).ShouldBe(200);
        (await world.GetAsync($"/api/agents/{agent}")).GetProperty("scheduled_tasks_enabled").GetBoolean().ShouldBeFalse();
        (await world.PatchAsync($"/api/agents/{agent}", new { scheduledTasksEnabled = true }).ShouldBe(200)).GetProperty("scheduled_tasks_enabled").GetBoolean().ShouldBeTrue();
        (await world.ConfigAsync(agent)).GetProperty("enabled").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task A_task_is_answered_as_the_contract_shows_it()
    {
        var agent = await world.AgentAsync();
        var task = await world.TaskAsync(agent, new { title = "Weekly report", prompt = "Summarise the week", cronExpression = "0 9 * * MON", timezone = "Europe/Oslo" });
        task.GetRawText().ShouldBe($$"""
            {"id":"{{task.Text("id")}}","agent_id":"{{agent}}","thread_id":null,"title":"Weekly report","prompt":"Summarise the week","run_at":null,"cron_expression":"0 9 * * MON","every_minutes":null,"timezone":"Europe/Oslo","status":"active","next_run_at":"2026-04-06T07:00:00Z","last_run_at":null,"last_status":null,"run_count":0,"created_by":"key","created_at":"2026-04-01T12:00:00Z"}
            """);
        var second = await world.TaskAsync(agent, new { prompt = "Look", every_minutes = 30 });
        (second.Text("next_run_at"), second.Text("timezone"), second.GetProperty("every_minutes").GetInt32()).ShouldBe(("2026-04-01T12:30:00Z", "UTC", 30));
        var third = await world.TaskAsync(agent, new { prompt = "Once", runAt = "2026-07-01T09:00", timezone = "Europe/Oslo" });
        (third.Text("run_at"), third.Text("next_run_at")).ShouldBe(("2026-07-01T07:00:00Z", "2026-07-01T07:00:00Z"));
        (await world.ConfigAsync(agent)).GetProperty("tasks").EnumerateArray().Select(t => t.Text("prompt")).ShouldBe(["Once", "Look", "Summarise the week"], ignoreOrder: true);
        (await world.DeleteAsync(agent, second).ShouldBe(200)).GetRawText().ShouldBe("""{"ok":true}""");
        await world.DeleteAsync(agent, second).ShouldBeError(404, "NOT_FOUND");
        (await world.ConfigAsync(agent)).GetProperty("tasks").GetArrayLength().ShouldBe(2);
    }

    [Theory]
    [InlineData("""{"everyMinutes":5}""", "prompt")]
    [InlineData("""{"prompt":" ","everyMinutes":5}""", "prompt")]
    [InlineData("""{"prompt":"p"}""", "runAt")]
    [InlineData("""{"prompt":"p","everyMinutes":5,"cronExpression":"0 9 * * *"}""", "runAt")]
    [InlineData("""{"prompt":"p","runAt":"2026-04-01T12:00:00Z"}""", "runAt")]
    [InlineData("""{"prompt":"p","runAt":"2025-04-01T12:00:00Z"}""", "runAt")]
    [InlineData("""{"prompt":"p","runAt":"tomorrow"}""", "runAt")]
    [InlineData("""{"prompt":"p","cronExpression":"0 9 * *"}""", "cronExpression")]
    [InlineData("""{"prompt":"p","cronExpression":"0 0 31 2 *"}""", "cronExpression")]
    [InlineData("""{"prompt":"p","cronExpression":"*/4 * * * *"}""", "cronExpression")]
    [InlineData("""{"prompt":"p","everyMinutes":4}""", "everyMinutes")]
    [InlineData("""{"prompt":"p","everyMinutes":0}""", "everyMinutes")]
    [InlineData("""{"prompt":"p","everyMinutes":525601}""", "everyMinutes")]
    [InlineData("""{"prompt":"p","everyMinutes":60,"timezone":"Oslo"}""", "timezone")]
    [InlineData("""{"prompt":"p","everyMinutes":60,"threadId":"x"}""", "threadId")]
    public async Task What_cannot_be_a_task_is_refused_by_its_field(string body, string field)
    {
        var agent = await world.AgentAsync();
        await world.PostAsync(TaskCalls.Path(agent), body).ShouldBeError(422, "VALIDATION_ERROR", field);
        (await world.ConfigAsync(agent)).GetProperty("tasks").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Long_texts_are_refused()
    {
        var agent = await world.AgentAsync();
        await world.PostAsync(TaskCalls.Path(agent), new { prompt = new string('p', 4_001), everyMinutes = 5 }).ShouldBeError(422, "VALIDATION_ERROR", "prompt");
        await world.PostAsync(TaskCalls.Path(agent), new { prompt = "p", title = new string('t', 301), everyMinutes = 5 }).ShouldBeError(422, "VALIDATION_ERROR", "title");
        await world.TaskAsync(agent, new { prompt = new string('p', 4_000), title = new string('t', 300), everyMinutes = 5 });
    }

    [Fact]
    public async Task An_agent_that_is_switched_off_or_full_takes_no_task()
    {
        var off = await world.Server.CreateAgentAsync();
        await world.PostAsync(TaskCalls.Path(off), new { prompt = "p", everyMinutes = 5 }).ShouldBeError(409, "CONFLICT");
        var agent = await world.AgentAsync();
        await world.PutAsync(agent, new { maxActive = 2 }).ShouldBe(200);
        var first = await world.TaskAsync(agent, new { prompt = "p", everyMinutes = 5 });
        await world.TaskAsync(agent, new { prompt = "q", everyMinutes = 5 });
        await world.PostAsync(TaskCalls.Path(agent), new { prompt = "r", everyMinutes = 5 }).ShouldBeError(409, "CONFLICT");
        (await world.ChangeAsync(agent, first, new { status = "paused" }).ShouldBe(200)).GetProperty("next_run_at").ValueKind.ShouldBe(JsonValueKind.Null);
        await world.TaskAsync(agent, new { prompt = "r", everyMinutes = 5 });
        await world.ChangeAsync(agent, first, new { status = "active" }).ShouldBeError(409, "CONFLICT");
        (await world.ReadTaskAsync(agent, first)).Text("status").ShouldBe("paused");
    }

    [Fact]
    public async Task Of_many_at_once_no_more_than_the_limit_are_made()
    {
        var agent = await world.AgentAsync();
        await world.PutAsync(agent, new { maxActive = 3 }).ShouldBe(200);
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(async _ =>
        {
            using var response = await world.PostAsync(TaskCalls.Path(agent), new { prompt = "p", everyMinutes = 5 });
            return (int)response.StatusCode;
        }));
        (answers.Count(a => a == 201), answers.Count(a => a == 409)).ShouldBe((3, 9));
    }

    [Fact]
    public async Task Switching_off_pauses_tasks_and_switching_on_leaves_them()
    {
        foreach (var viaAgent in new[] { false, true })
        {
            var agent = await world.AgentAsync();
            var task = await world.TaskAsync(agent, new { prompt = "p", everyMinutes = 5 });
            if (viaAgent) await world.PatchAsync($"/api/agents/{agent}", new { scheduledTasksEnabled = false }).ShouldBe(200);
            else await world.PutAsync(agent, new { enabled = false }).ShouldBe(200);
            var paused = (await world.ConfigAsync(agent)).GetProperty("tasks")[0];
            (paused.Text("status"), paused.GetProperty("next_run_at").ValueKind).ShouldBe(("paused", JsonValueKind.Null));
            await world.ChangeAsync(agent, task, new { status = "active" }).ShouldBeError(409, "CONFLICT");
            (await world.PutAsync(agent, new { enabled = true }).ShouldBe(200)).GetProperty("tasks")[0].Text("status").ShouldBe("paused");
            var resumed = await world.ChangeAsync(agent, task, new { status = "active" }).ShouldBe(200);
            (resumed.Text("status"), resumed.Text("next_run_at")).ShouldBe(("active", "2026-04-01T12:05:00Z"));
        }
    }

    [Fact]
    public async Task A_change_leaves_what_it_does_not_name()
    {
        var agent = await world.AgentAsync();
        var task = await world.TaskAsync(agent, new { prompt = "p", title = "t", cronExpression = "0 9 * * *" });
        var changed = await world.ChangeAsync(agent, task, """{"prompt":"q","title":null}""").ShouldBe(200);
        (changed.Text("prompt"), changed.GetProperty("title").ValueKind, changed.Text("next_run_at")).ShouldBe(("q", JsonValueKind.Null, "2026-04-02T09:00:00Z"));
        (await world.ChangeAsync(agent, task, new { timezone = "Europe/Oslo" }).ShouldBe(200)).Text("next_run_at").ShouldBe("2026-04-02T07:00:00Z");
        var every = await world.ChangeAsync(agent, task, """{"everyMinutes":60,"cronExpression":null}""").ShouldBe(200);
        (every.Text("next_run_at"), every.GetProperty("cron_expression").ValueKind, every.Text("timezone")).ShouldBe(("2026-04-01T13:00:00Z", JsonValueKind.Null, "Europe/Oslo"));
        (await world.ChangeAsync(agent, task, new { runAt = "2026-04-02T08:00" }).ShouldBe(200)).Text("next_run_at").ShouldBe("2026-04-02T06:00:00Z");
        foreach (var (body, field) in new[]
        {
            ("""{"prompt":null}""", "prompt"), ("""{"runAt":null}""", "runAt"), ("""{"runAt":"2026-04-01T11:00:00Z"}""", "runAt"), ("""{"everyMinutes":5,"cronExpression":"0 9 * * *"}""", "runAt"), ("""{"everyMinutes":1}""", "everyMinutes"),
            ("""{"cronExpression":"x"}""", "cronExpression"), ("""{"timezone":"x"}""", "timezone"), ("""{"status":"finished"}""", "status"), ("""{"threadId":"x"}""", "threadId"),
        })
        {
            await world.ChangeAsync(agent, task, body).ShouldBeError(422, "VALIDATION_ERROR", field);
        }
        (await world.ReadTaskAsync(agent, task)).Text("next_run_at").ShouldBe("2026-04-02T06:00:00Z");
        await world.ChangeAsync(agent, task, """{"everyMinutes":"often"}""").ShouldBeError(400, "INVALID_REQUEST", "everyMinutes");
    }

    [Fact]
    public async Task The_thread_of_a_task_is_one_of_its_agent_that_the_caller_sees()
    {
        var agent = await world.AgentAsync();
        var (mine, others) = (await world.Server.CreateThreadAsync(agent), await world.OpenAsync());
        var task = await world.TaskAsync(agent, new { prompt = "p", everyMinutes = 5, threadId = mine });
        task.GetProperty("thread_id").GetGuid().ShouldBe(mine);
        await world.ChangeAsync(agent, task, new { threadId = others }).ShouldBeError(422, "VALIDATION_ERROR", "threadId");
        await world.ChangeAsync(agent, task, new { threadId = Guid.CreateVersion7() }).ShouldBeError(404, "NOT_FOUND");
        (await world.ChangeAsync(agent, task, """{"threadId":null}""").ShouldBe(200)).GetProperty("thread_id").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Members_see_their_own_tasks_and_those_of_nobody()
    {
        var org = await world.Server.FirstOrgAsync();
        await world.Server.AddUserAsync("ann@example.com", (org, "member"));
        await world.Server.AddUserAsync("bob@example.com", (org, "member"));
        using var ann = await world.Server.ClientOfAsync("ann@example.com");
        using var bob = await world.Server.ClientOfAsync("bob@example.com");
        var agent = await world.AgentAsync();
        await world.TaskAsync(agent, new { prompt = "the application's", everyMinutes = 5 });
        var hers = await world.TaskAsync(agent, new { prompt = "hers", everyMinutes = 5 }, ann);
        hers.Text("created_by").ShouldBe("user");
        (await world.ConfigAsync(agent, ann)).GetProperty("tasks").GetArrayLength().ShouldBe(2);
        (await world.ConfigAsync(agent, bob)).GetProperty("tasks").EnumerateArray().Select(t => t.Text("prompt")).ShouldBe(["the application's"]);
        (await world.ConfigAsync(agent)).GetProperty("tasks").GetArrayLength().ShouldBe(2);
        await bob.DeleteAsync(TaskCalls.Path(agent, hers), Token).ShouldBeError(404, "NOT_FOUND");
        await bob.PatchAsync(TaskCalls.Path(agent, hers), TurnWorld.Body(new { prompt = "his" }), Token).ShouldBeError(404, "NOT_FOUND");
        var thread = await ann.PostAsync("/api/threads", TurnWorld.Body(new { agentId = agent }), Token).ShouldBe(200);
        await world.PostAsync(TaskCalls.Path(agent), new { prompt = "p", everyMinutes = 5, threadId = thread.Text("id") }, bob).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Another_organisation_finds_nothing()
    {
        var agent = await world.AgentAsync();
        var task = await world.TaskAsync(agent, new { prompt = "p", everyMinutes = 5 });
        using var stranger = world.Server.ClientFor((await world.Server.AddKeyAsync(await world.Server.AddOrgAsync("elsewhere-tasks"))).Text);
        await stranger.GetAsync(TaskCalls.Path(agent), Token).ShouldBeError(404, "NOT_FOUND");
        await stranger.PutAsync(TaskCalls.Path(agent), TurnWorld.Body(new { enabled = false }), Token).ShouldBeError(404, "NOT_FOUND");
        await world.PostAsync(TaskCalls.Path(agent), new { prompt = "p", everyMinutes = 5 }, stranger).ShouldBeError(404, "NOT_FOUND");
        await stranger.DeleteAsync(TaskCalls.Path(agent, task), Token).ShouldBeError(404, "NOT_FOUND");
        (await world.ReadTaskAsync(agent, task)).Text("status").ShouldBe("active");
    }

    [Fact]
    public async Task Tasks_go_with_their_agent()
    {
        var agent = await world.AgentAsync();
        var task = await world.TaskAsync(agent, new { prompt = "p", everyMinutes = 5 });
        await world.Server.Client.DeleteAsync($"/api/agents/{agent}", Token).ShouldBe(200);
        await world.ChangeAsync(agent, task, new { }).ShouldBeError(404, "NOT_FOUND");
        await using var db = world.Server.Database();
        (await db.ScheduledTasks.IgnoreQueryFilters().CountAsync(t => t.AgentId == agent, Token)).ShouldBe(0);
    }

    [Fact]
    public async Task Tasks_that_ended_are_forgotten_after_a_month()
    {
        await using var own = await TurnWorld.StartAsync();
        var agent = await own.AgentAsync();
        var (once, again) = (await own.TaskAsync(agent, new { prompt = "/echo p", runAt = own.At(TimeSpan.FromHours(1)) }), await own.TaskAsync(agent, new { prompt = "q", runAt = own.At(TimeSpan.FromDays(400)) }));
        (await own.RunsAsync(agent, once, 1, TimeSpan.FromHours(2))).Text("status").ShouldBe("finished");
        own.Server.Time.Advance(TimeSpan.FromDays(31));
        await own.Server.Services.GetRequiredService<HousekeepingRounds>().RunAsync(Token);
        await own.ChangeAsync(agent, once, new { }).ShouldBeError(404, "NOT_FOUND");
        await own.ReadTaskAsync(agent, again);
    }
}
