using System.Text.Json;
using Flapjack.Server.Platform.Lifetime;
using Flapjack.Server.ScheduledTasks;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.ScheduledTasks;

/// <summary>What happens when tasks are due: turns, once for each occurrence, whatever node, thread or server is in the way.</summary>
public sealed class TaskFiringTests : IAsyncLifetime
{
    private TurnWorld _world = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _world = await TurnWorld.StartAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_due_task_is_a_turn_in_a_new_thread()
    {
        using var owner = await _world.Server.LoginOwnerAsync();
        var me = (await _world.GetAsync("/api/auth/me", owner)).GetProperty("user").Text("id");
        var agent = await _world.AgentAsync();
        var task = await _world.TaskAsync(agent, new { prompt = "/echo the week", title = "Weekly report", cronExpression = "0 9 * * MON", timezone = "Europe/Oslo" }, owner);
        var ran = await _world.RunsAsync(agent, task, 1, TimeSpan.FromDays(5));
        (ran.Text("status"), ran.Text("last_status"), ran.Text("next_run_at"), ran.GetProperty("run_count").GetInt32(), ran.GetProperty("thread_id").ValueKind).ShouldBe(("active", "ok", "2026-04-13T07:00:00Z", 1, JsonValueKind.Null));

        var thread = (await _world.ThreadsAsync(agent)).Single();
        (thread.Text("title"), thread.Text("user_id")).ShouldBe(("Weekly report", me));
        var messages = await _world.MessagesAsync(thread.GetProperty("id").GetGuid());
        messages.Select(m => m.Text("role")).ShouldBe(["user", "assistant"]);
        (messages[0].Text("content"), messages[0].Text("sender_name"), messages[1].Text("content")).ShouldBe(("/echo the week", "Scheduled task", "the week"));
        var trace = (await _world.TraceAsync(thread.GetProperty("id").GetGuid())).GetProperty("trace");
        (trace.Text("name"), trace.Text("status"), trace.Text("user_id"), trace.GetProperty("tags").GetRawText()).ShouldBe(("scheduled-turn", "ok", me, """["source:schedule"]"""));

        (await _world.RunsAsync(agent, task, 2, TimeSpan.FromDays(7))).Text("next_run_at").ShouldBe("2026-04-20T07:00:00Z");
        (await _world.ThreadsAsync(agent)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_server_looks_by_itself_every_two_seconds()
    {
        var agent = await _world.AgentAsync();
        var thread = await _world.Server.CreateThreadAsync(agent);
        await _world.TaskAsync(agent, new { prompt = "/echo by itself", threadId = thread, runAt = _world.At(TimeSpan.FromSeconds(59)) });
        await _world.Server.Time.TickingAsync(TaskRounds.Interval, 1).WaitAsync(TimeSpan.FromSeconds(20), Token);
        _world.Server.Time.Advance(TimeSpan.FromSeconds(58));
        (await _world.MessagesAsync(thread)).ShouldBeEmpty();
        _world.Server.Time.Advance(TimeSpan.FromSeconds(2));
        var deadline = Environment.TickCount64 + 20_000;
        while ((await _world.MessagesAsync(thread)).Count < 2)
        {
            Environment.TickCount64.ShouldBeLessThan(deadline);
            await Task.Delay(10, Token);
        }
    }

    [Fact]
    public async Task In_its_thread_a_task_continues_the_conversation()
    {
        var agent = await _world.AgentAsync(TurnWorld.OpenAI);
        var thread = await _world.Server.CreateThreadAsync(agent, new { userId = "u-17" });
        _world.Upstream.Reply(Flapjack.Testing.Script.Text("Noted."));
        await _world.Server.AskAsync(thread, "My name is Ann.");
        var task = await _world.TaskAsync(agent, new { prompt = "Who am I?", threadId = thread, everyMinutes = 30 });
        _world.Upstream.Reply(Flapjack.Testing.Script.Text("Ann."));
        (await _world.RunsAsync(agent, task, 1, TimeSpan.FromMinutes(31))).Text("last_status").ShouldBe("ok");
        Prompts.Shape(_world.Upstream.LastRequest.Body).ShouldBe(["user:My name is Ann.", "assistant:Noted.", "user:Who am I?"]);
        (await _world.MessagesAsync(thread)).Select(m => m.Text("content")).ShouldBe(["My name is Ann.", "Noted.", "Who am I?", "Ann."]);
        (await _world.TraceAsync(thread)).GetProperty("trace").Text("user_id").ShouldBe("u-17");
    }

    [Fact]
    public async Task A_task_with_one_time_is_finished_after_it()
    {
        var agent = await _world.AgentAsync();
        var task = await _world.TaskAsync(agent, new { prompt = "/echo once", runAt = _world.At(TimeSpan.FromMinutes(10)) });
        var ran = await _world.RunsAsync(agent, task, 1, TimeSpan.FromMinutes(10));
        (ran.Text("status"), ran.Text("last_status"), ran.GetProperty("next_run_at").ValueKind).ShouldBe(("finished", "ok", JsonValueKind.Null));
        (await _world.ConfigAsync(agent)).GetProperty("tasks").GetArrayLength().ShouldBe(0);
        _world.Server.Time.Advance(TimeSpan.FromDays(1));
        await _world.Server.RoundAsync();
        (await _world.ThreadsAsync(agent)).Count.ShouldBe(1);
        await _world.ChangeAsync(agent, task, new { status = "paused" }).ShouldBeError(409, "CONFLICT");
        await _world.ChangeAsync(agent, task, new { status = "active" }).ShouldBeError(422, "VALIDATION_ERROR", "runAt");
        (await _world.ChangeAsync(agent, task, new { status = "active", runAt = _world.At(TimeSpan.FromMinutes(10)) }).ShouldBe(200)).Text("status").ShouldBe("active");
        (await _world.RunsAsync(agent, task, 2, TimeSpan.FromMinutes(10))).Text("status").ShouldBe("finished");
    }

    [Fact]
    public async Task What_was_missed_while_the_server_was_down_comes_once()
    {
        var agent = await _world.AgentAsync();
        var (every, once) = (await _world.TaskAsync(agent, new { prompt = "/echo often", everyMinutes = 5 }), await _world.TaskAsync(agent, new { prompt = "/echo once", runAt = _world.At(TimeSpan.FromHours(1)) }));
        // Time passes between the end of one server and the start of the next.
        await _world.Server.Services.GetRequiredService<Draining>().StoppingAsync(Token);
        _world.Server.Time.Advance(TimeSpan.FromHours(7.04));
        await _world.Server.RestartAsync();
        (await _world.UntilAsync(agent, every, t => t.TryGetProperty("last_status", out var s) && s.GetString() == "ok")).Text("next_run_at").ShouldBe("2026-04-01T19:05:00Z");
        (await _world.UntilAsync(agent, once, t => t.TryGetProperty("last_status", out var s) && s.GetString() == "ok")).Text("status").ShouldBe("finished");
        (await _world.ThreadsAsync(agent)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Nodes_that_look_at_the_same_time_carry_out_each_occurrence_once()
    {
        await using var peer = _world.Server.StartPeer();
        var agent = await _world.AgentAsync();
        var tasks = new List<JsonElement>();
        for (var i = 0; i < 8; i++) tasks.Add(await _world.TaskAsync(agent, new { prompt = $"/echo {i}", everyMinutes = 60 }));
        for (var round = 1; round <= 3; round++)
        {
            _world.Server.Time.Advance(TimeSpan.FromHours(1));
            await Task.WhenAll(_world.Server.RoundAsync(), peer.RoundAsync(), _world.Server.RoundAsync(), peer.RoundAsync());
            foreach (var task in tasks) await _world.RunsAsync(agent, task, round, TimeSpan.Zero);
        }
        var threads = await _world.ThreadsAsync(agent);
        foreach (var task in tasks)
        {
            var read = await _world.ReadTaskAsync(agent, task);
            read.GetProperty("run_count").GetInt32().ShouldBe(3, $"{read}\n{threads.Count} threads: {string.Join(", ", threads.Select(t => t.Text("created_at")))}; it is {_world.Server.Time.GetUtcNow():O}");
        }
        threads.Count.ShouldBe(24);
    }

    [Fact]
    public async Task A_task_that_was_carried_out_since_it_was_seen_due_waits_for_its_next_time()
    {
        var agent = await _world.AgentAsync();
        var task = await _world.TaskAsync(agent, new { prompt = "/echo once an hour", everyMinutes = 60 });
        await _world.RunsAsync(agent, task, 1, TimeSpan.FromHours(1));
        // As a node does that read the list of due tasks before.
        var late = new TaskKey(task.GetProperty("id").GetGuid(), await _world.Server.FirstOrgAsync());
        (await _world.Server.Services.GetRequiredService<TaskFiring>().FireAsync(late, Token)).ShouldBeNull();
        (await _world.ReadTaskAsync(agent, task)).GetProperty("run_count").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task A_busy_thread_is_waited_for()
    {
        var agent = await _world.AgentAsync();
        var thread = await _world.Server.CreateThreadAsync(agent);
        var task = await _world.TaskAsync(agent, new { prompt = "/echo at last", threadId = thread, everyMinutes = 5 });
        await using var stream = await _world.SendAsync(thread, new { content = """/tool hold {"key":"busy"}""" });
        await _world.Tools.Hold("busy").Entered;
        _world.Server.Time.Advance(TimeSpan.FromMinutes(6));
        await _world.Server.RoundAsync();
        var waiting = await _world.ReadTaskAsync(agent, task);
        (waiting.GetProperty("run_count").GetInt32(), waiting.Text("next_run_at")).ShouldBe((0, "2026-04-01T12:05:00Z"));
        _world.Tools.Hold("busy").Release();
        (await stream.EndAsync()).Event.ShouldBe("done");
        (await _world.RunsAsync(agent, task, 1, TaskFiring.WhenBusy)).Text("next_run_at").ShouldBe("2026-04-01T12:10:00Z");
        (await _world.MessagesAsync(thread))[^1].Text("content").ShouldBe("at last");
    }

    [Fact]
    public async Task A_thread_that_waits_for_its_client_is_waited_for()
    {
        var agent = await _world.AgentAsync();
        var thread = await _world.Server.CreateThreadAsync(agent);
        var task = await _world.TaskAsync(agent, new { prompt = "/echo at last", threadId = thread, everyMinutes = 5 });
        await using var stream = await _world.SendAsync(thread, new { content = "/tool ask {}", tools = new[] { new { name = "ask", description = "Asks.", parameters = new { type = "object" } } } });
        var call = (await stream.EndAsync()).Data.GetProperty("toolCalls")[0].Text("id");
        _world.Server.Time.Advance(TimeSpan.FromMinutes(6));
        await _world.Server.RoundAsync();
        (await _world.ReadTaskAsync(agent, task)).GetProperty("run_count").GetInt32().ShouldBe(0);
        await using var answer = await _world.SendAsync(thread, new { toolResults = new[] { new { toolCallId = call, result = "yes" } } });
        await answer.DrainAsync();
        (await _world.RunsAsync(agent, task, 1, TaskFiring.WhenBusy)).Text("last_status").ShouldBe("ok");
    }

    [Fact]
    public async Task A_task_never_runs_beside_itself()
    {
        var agent = await _world.AgentAsync();
        var task = await _world.TaskAsync(agent, new { prompt = """/tool hold {"key":"slow"}""", everyMinutes = 5 });
        _world.Server.Time.Advance(TimeSpan.FromMinutes(5));
        var running = await _world.UntilAsync(agent, task, t => t.GetProperty("run_count").GetInt32() == 1);
        (running.Text("last_status"), running.Text("next_run_at")).ShouldBe(("running", "2026-04-01T12:10:00Z"));
        await _world.Tools.Hold("slow").Entered;
        _world.Server.Time.Advance(TimeSpan.FromMinutes(7));
        await _world.Server.RoundAsync();
        (await _world.ReadTaskAsync(agent, task)).GetProperty("run_count").GetInt32().ShouldBe(1);
        _world.Tools.Hold("slow").Release();
        (await _world.RunsAsync(agent, task, 2, TimeSpan.Zero)).Text("next_run_at").ShouldBe("2026-04-01T12:15:00Z");
    }

    [Fact]
    public async Task Three_failures_in_a_row_end_a_task_and_a_success_between_them_counts()
    {
        var agent = await _world.AgentAsync();
        var thread = await _world.Server.CreateThreadAsync(agent);
        var task = await _world.TaskAsync(agent, new { prompt = "/fail 401", threadId = thread, everyMinutes = 5 });
        var five = TimeSpan.FromMinutes(5);
        (await _world.RunsAsync(agent, task, 1, five)).Text("last_status").ShouldBe("error");
        (await _world.RunsAsync(agent, task, 2, five)).Text("status").ShouldBe("active");
        await _world.ChangeAsync(agent, task, new { prompt = "/echo fine" }).ShouldBe(200);
        (await _world.RunsAsync(agent, task, 3, five)).Text("last_status").ShouldBe("ok");
        await _world.ChangeAsync(agent, task, new { prompt = "/fail 401" }).ShouldBe(200);
        await _world.RunsAsync(agent, task, 4, five);
        (await _world.RunsAsync(agent, task, 5, five)).Text("status").ShouldBe("active");
        var failed = await _world.RunsAsync(agent, task, 6, five);
        (failed.Text("status"), failed.Text("last_status"), failed.GetProperty("next_run_at").ValueKind).ShouldBe(("failed", "error", JsonValueKind.Null));
        _world.Server.Time.Advance(TimeSpan.FromHours(1));
        await _world.Server.RoundAsync();
        (await _world.MessagesAsync(thread)).Count(m => m.Text("role") == "user").ShouldBe(6);
        var again = await _world.ChangeAsync(agent, task, new { status = "active" }).ShouldBe(200);
        again.Text("status").ShouldBe("active");
        (await _world.RunsAsync(agent, task, 7, five)).Text("status").ShouldBe("active", "it has three new attempts");
    }

    [Fact]
    public async Task A_turn_that_cannot_begin_is_a_failure()
    {
        await _world.Server.Client.PutAsync("/api/providers/mine", TurnWorld.Body(new { kind = "openai_compatible", baseUrl = "https://models.example.com/v1", models = new[] { new { id = "m" } } }), Token).ShouldBe(200);
        var agent = await _world.AgentAsync("mine/m");
        var (every, once) = (await _world.TaskAsync(agent, new { prompt = "p", everyMinutes = 5 }), await _world.TaskAsync(agent, new { prompt = "p", runAt = _world.At(TimeSpan.FromMinutes(5)) }));
        await _world.Server.Client.DeleteAsync("/api/providers/mine", Token).ShouldBe(200);
        var ended = await _world.RunsAsync(agent, once, 1, TimeSpan.FromMinutes(5));
        (ended.Text("status"), ended.Text("last_status")).ShouldBe(("finished", "error"));
        (await _world.RunsAsync(agent, every, 1, TimeSpan.Zero)).Text("status").ShouldBe("active");
        await _world.RunsAsync(agent, every, 2, TimeSpan.FromMinutes(5));
        (await _world.RunsAsync(agent, every, 3, TimeSpan.FromMinutes(5))).Text("status").ShouldBe("failed");
        (await _world.ThreadsAsync(agent)).ShouldBeEmpty("no thread stays of a turn that did not begin");
        _world.Server.Log.Lines.ShouldContain(l => l.Contains("cannot begin", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_turn_that_was_stopped_is_no_failure()
    {
        var agent = await _world.AgentAsync();
        var thread = await _world.Server.CreateThreadAsync(agent);
        var task = await _world.TaskAsync(agent, new { prompt = """/tool hold {"key":"stopped"}""", threadId = thread, everyMinutes = 5 });
        _world.Server.Time.Advance(TimeSpan.FromMinutes(5));
        await _world.Server.RoundAsync();
        await _world.Tools.Hold("stopped").Entered;
        await _world.StopAsync(thread);
        (await _world.RunsAsync(agent, task, 1, TimeSpan.Zero)).Text("last_status").ShouldBe("stopped");
    }

    [Fact]
    public async Task What_needs_a_user_to_authorise_is_a_failure()
    {
        var agent = await _world.AgentAsync();
        var task = await _world.TaskAsync(agent, new { prompt = "/tool locked {}", everyMinutes = 5 });
        (await _world.RunsAsync(agent, task, 1, TimeSpan.FromMinutes(5))).Text("last_status").ShouldBe("error");
    }

    [Fact]
    public async Task A_thread_that_is_gone_or_archived_is_replaced_by_a_new_one()
    {
        var agent = await _world.AgentAsync();
        var (gone, archived) = (await _world.Server.CreateThreadAsync(agent), await _world.Server.CreateThreadAsync(agent));
        var (first, second) = (await _world.TaskAsync(agent, new { prompt = "/echo a", threadId = gone, everyMinutes = 5 }), await _world.TaskAsync(agent, new { prompt = "/echo b", threadId = archived, everyMinutes = 5 }));
        await _world.Server.Client.DeleteAsync($"/api/threads/{gone}", Token).ShouldBe(200);
        await _world.PatchAsync($"/api/threads/{archived}", new { status = "archived" }).ShouldBe(200);
        foreach (var (task, was) in new[] { (first, gone), (second, archived) })
        {
            var ran = await _world.RunsAsync(agent, task, 1, TimeSpan.FromMinutes(5));
            var thread = ran.GetProperty("thread_id").GetGuid();
            thread.ShouldNotBe(was);
            (await _world.RunsAsync(agent, task, ran.GetProperty("run_count").GetInt32() + 1, TimeSpan.FromMinutes(5))).GetProperty("thread_id").GetGuid().ShouldBe(thread);
            (await _world.MessagesAsync(thread)).Count.ShouldBeGreaterThanOrEqualTo(4);
        }
    }

    [Fact]
    public async Task A_thread_deleted_under_a_running_turn_ends_it_as_stopped()
    {
        var agent = await _world.AgentAsync();
        var thread = await _world.Server.CreateThreadAsync(agent);
        var task = await _world.TaskAsync(agent, new { prompt = """/tool hold {"key":"deleted"}""", threadId = thread, everyMinutes = 5 });
        _world.Server.Time.Advance(TimeSpan.FromMinutes(5));
        await _world.Server.RoundAsync();
        await _world.Tools.Hold("deleted").Entered;
        await _world.Server.Client.DeleteAsync($"/api/threads/{thread}", Token).ShouldBe(200);
        (await _world.RunsAsync(agent, task, 1, TimeSpan.Zero)).Text("last_status").ShouldBe("stopped");
    }

    [Fact]
    public async Task Of_many_due_tasks_only_so_many_run_at_a_time()
    {
        await using var own = await TurnWorld.StartAsync(settings => settings["ScheduledTasks:MaxRunning"] = "2");
        var agent = await own.AgentAsync();
        var tasks = new List<JsonElement>();
        for (var i = 0; i < 4; i++) tasks.Add(await own.TaskAsync(agent, new { prompt = """/tool hold {"key":"many"}""", everyMinutes = 600 }));
        own.Server.Time.Advance(TimeSpan.FromHours(10));
        await own.Tools.Hold("many").Entered;
        async Task<int> BegunAsync() => (await own.ConfigAsync(agent)).GetProperty("tasks").EnumerateArray().Count(t => t.GetProperty("run_count").GetInt32() == 1);
        var deadline = Environment.TickCount64 + 20_000;
        while (await BegunAsync() < 2 && Environment.TickCount64 < deadline) await own.Server.RoundAsync();
        for (var round = 0; round < 3; round++) await own.Server.RoundAsync();
        (await BegunAsync()).ShouldBe(2);
        own.Tools.Hold("many").Release();
        foreach (var task in tasks) (await own.RunsAsync(agent, task, 1, TimeSpan.Zero)).Text("last_status").ShouldBe("ok");
    }

    [Fact]
    public async Task A_paused_task_and_one_that_was_deleted_do_not_come()
    {
        var agent = await _world.AgentAsync();
        var (paused, deleted) = (await _world.TaskAsync(agent, new { prompt = "p", everyMinutes = 5 }), await _world.TaskAsync(agent, new { prompt = "p", everyMinutes = 5 }));
        await _world.ChangeAsync(agent, paused, new { status = "paused" }).ShouldBe(200);
        await _world.DeleteAsync(agent, deleted).ShouldBe(200);
        _world.Server.Time.Advance(TimeSpan.FromHours(1));
        await _world.Server.RoundAsync();
        (await _world.ThreadsAsync(agent)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_that_drains_begins_no_task()
    {
        var agent = await _world.AgentAsync();
        var task = await _world.TaskAsync(agent, new { prompt = "/echo later", everyMinutes = 5 });
        await _world.Server.Services.GetRequiredService<Draining>().StoppingAsync(Token);
        _world.Server.Time.Advance(TimeSpan.FromMinutes(5));
        await _world.Server.RoundAsync();
        await _world.Server.RestartAsync();
        (await _world.RunsAsync(agent, task, 1, TimeSpan.Zero)).Text("last_status").ShouldBe("ok");
        (await _world.ThreadsAsync(agent)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_database_that_is_away_loses_nothing()
    {
        var agent = await _world.AgentAsync();
        var task = await _world.TaskAsync(agent, new { prompt = "/echo later", everyMinutes = 5 });
        await _world.Server.BreakDatabaseAsync();
        _world.Server.Time.Advance(TimeSpan.FromMinutes(5));
        // It fails, or finds nothing to do.
        await Task.WhenAny(_world.Server.RoundAsync());
        await _world.Server.RepairDatabaseAsync();
        (await _world.RunsAsync(agent, task, 1, TimeSpan.FromSeconds(2))).Text("last_status").ShouldBe("ok");
        (await _world.ThreadsAsync(agent)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_turn_whose_node_is_gone_goes_on_elsewhere_and_is_no_second_one()
    {
        var agent = await _world.AgentAsync();
        var thread = await _world.Server.CreateThreadAsync(agent);
        var task = await _world.TaskAsync(agent, new { prompt = """/tool hold {"key":"frozen"}""", threadId = thread, everyMinutes = 60 });
        _world.Server.Time.Advance(TimeSpan.FromHours(1));
        await _world.Server.RoundAsync();
        await _world.Tools.Hold("frozen").Entered;
        await using (var db = _world.Server.Database())
        {
            var past = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
            await db.Turns.IgnoreQueryFilters().ExecuteUpdateAsync(rows => rows.SetProperty(t => t.LeaseUntil, past), Token);
        }
        await using var node = _world.Server.StartPeer();
        (await _world.UntilAsync(agent, task, t => t.Text("last_status") != "running")).Text("last_status").ShouldBe("ok");
        _world.Tools.Hold("frozen").Release("too late");
        var messages = await _world.MessagesAsync(thread);
        messages.Select(m => m.Text("role")).ShouldBe(["user", "assistant"]);
        messages[1].Text("content").ShouldContain("OUTCOME_UNKNOWN");
        (await _world.ReadTaskAsync(agent, task)).GetProperty("run_count").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task In_a_multiplayer_thread_the_tasks_agent_answers()
    {
        var agent = await _world.AgentAsync();
        await _world.Server.Client.PutAsync($"/api/agents/{agent}/multiplayer", TurnWorld.Body(new { enabled = true }), Token).ShouldBe(200);
        var thread = await _world.Server.CreateThreadAsync(agent, new { kind = "multiplayer" });
        var task = await _world.TaskAsync(agent, new { prompt = "/echo here", threadId = thread, everyMinutes = 5 });
        (await _world.RunsAsync(agent, task, 1, TimeSpan.FromMinutes(5))).Text("last_status").ShouldBe("ok");
        (await _world.MessagesAsync(thread)).Select(m => m.Text("sender_name")).ShouldBe(["Scheduled task", "Ada"]);
    }
}
