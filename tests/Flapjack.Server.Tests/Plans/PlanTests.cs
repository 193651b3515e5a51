using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Plans;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Tests.Threads;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Flapjack.Server.Tests.Plans;

/// <summary><c>/api/plans</c>: making, reading, moving and deleting plans.</summary>
public sealed class PlanTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_plan_is_answered_as_the_contract_shows_it()
    {
        var thread = await world.OpenAsync();
        var made = await world.PlanAsync(thread, new { content = "Export invoices" });
        made.EnumerateObject().Select(p => p.Name).ShouldBe(["id", "org_id", "thread_id", "agent_id", "title", "description", "status", "approved_at", "approved_by", "progress", "todos", "created_at", "updated_at"]);
        var todo = made.GetProperty("todos")[0];
        todo.EnumerateObject().Select(p => p.Name).ShouldBe(["id", "plan_id", "parent_id", "depth", "position", "content", "status", "note", "blocked_by", "ready", "started_at", "finished_at", "created_at", "updated_at"]);
        (made.Text("status"), made.Text("title"), made.GetProperty("approved_at").ValueKind, made.GetProperty("thread_id").GetGuid()).ShouldBe(("draft", "Migrate billing", JsonValueKind.Null, thread));
        made.GetProperty("progress").GetRawText().ShouldBe("""{"total":1,"done":0,"skipped":0,"in_progress":0,"pending":1}""");
        (todo.GetProperty("ready").GetBoolean(), todo.GetProperty("depth").GetInt32(), todo.GetProperty("parent_id").ValueKind).ShouldBe((true, 0, JsonValueKind.Null));
        (await world.ReadPlanAsync(made)).GetRawText().ShouldBe(made.GetRawText());
    }

    [Fact]
    public async Task Todos_come_nested_and_in_order_with_what_they_wait_for()
    {
        var thread = await world.OpenAsync();
        var plan = await world.PlanAsync(thread,
            new { content = "a", children = new object[] { new { content = "b" }, new { content = "c", blocked_by = new[] { 1 }, children = new[] { new { content = "d" } } } } },
            new { content = "e", blockedBy = new[] { 0, 3 } });
        plan.Outline().ShouldBe("a0 >b0 >c1 >>d0 e1");
        plan.GetProperty("todos")[4].GetProperty("blocked_by").EnumerateArray().Select(id => id.GetString()).ShouldBe([plan.TodoId(0), plan.TodoId(3)], ignoreOrder: true);
        plan.GetProperty("progress").GetProperty("total").GetInt32().ShouldBe(3);
        // d waits through its parent, e for the rest.
        (await world.GetAsync($"/api/plans/{plan.Text("id")}/ready")).Contents().ShouldBe("b");
    }

    [Fact]
    public async Task A_plan_goes_the_ways_of_the_contract_only()
    {
        var thread = await world.OpenAsync();
        var plan = await world.PlanAsync(thread, new { content = "a" });
        foreach (var (status, answer) in new[]
        {
            ("in_progress", 409), ("completed", 409), ("approved", 200), ("approved", 200), ("draft", 409), ("completed", 409), ("in_progress", 200), ("approved", 409), ("completed", 200),
            ("in_progress", 409), ("cancelled", 409), ("approved", 200), ("cancelled", 200), ("completed", 409), ("approved", 200),
        })
        {
            var said = await world.PatchAsync($"/api/plans/{plan.Text("id")}", new { status }).ShouldBe(answer);
            if (answer == 200) said.Text("status").ShouldBe(status);
            else said.Text("error").ShouldBe("CONFLICT");
        }
        var read = await world.ReadPlanAsync(plan);
        (read.Text("approved_by"), read.GetProperty("approved_at").ValueKind).ShouldBe(("key", JsonValueKind.String));
        using var owner = await world.Server.LoginOwnerAsync();
        var second = await world.PostAsync("/api/plans", new { threadId = thread, title = "Second", status = "approved" }, owner).ShouldBe(201);
        second.Text("approved_by").ShouldBe((await world.GetAsync("/api/auth/me", owner)).GetProperty("user").Text("id"));
    }

    [Fact]
    public async Task Without_required_approval_a_plan_starts_approved()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        await world.Server.Client.PutAsync($"/api/agents/{agent}/plan", TurnWorld.Body(new { requireApproval = false }), Token).ShouldBe(200);
        var thread = await world.Server.CreateThreadAsync(agent);
        (await world.PlanAsync(thread)).Text("status").ShouldBe("approved");
        (await world.PostAsync("/api/plans", new { threadId = thread, title = "T", status = "draft" }).ShouldBe(201)).Text("status").ShouldBe("draft");
    }

    [Fact]
    public async Task Lists_are_newest_first_and_filtered()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        var (one, two) = (await world.Server.CreateThreadAsync(agent), await world.Server.CreateThreadAsync(agent));
        var first = await world.PlanAsync(one, new { content = "a" });
        var second = await world.PlanAsync(two);
        await world.PatchAsync($"/api/plans/{first.Text("id")}", new { status = "cancelled", title = "Renamed", description = "why" }).ShouldBe(200);
        async Task<IEnumerable<string>> Ids(string query) => (await world.GetAsync("/api/plans" + query)).EnumerateArray().Select(p => p.Text("id"));
        (await Ids($"?agentId={agent}")).ShouldBe([second.Text("id"), first.Text("id")]);
        (await Ids($"?threadId={one}")).ShouldBe([first.Text("id")]);
        (await Ids($"?agent_id={agent}&status=cancelled")).ShouldBe([first.Text("id")]);
        (await Ids($"?agentId={agent}&limit=1&offset=1")).ShouldBe([first.Text("id")]);
        (await Ids($"?threadId={Guid.NewGuid()}")).ShouldBeEmpty();
        (await Ids("")).ShouldContain(second.Text("id"));
        (await world.GetAsync($"/api/plans?threadId={one}"))[0].GetProperty("todos").GetArrayLength().ShouldBe(1);
        await world.Server.Client.GetAsync("/api/plans?status=gone", Token).ShouldBeError(422, "VALIDATION_ERROR", "status");
        await world.Server.Client.GetAsync("/api/plans?threadId=x", Token).ShouldBeError(422, "VALIDATION_ERROR", "threadId");
    }

    public static TheoryData<string, int, string> Faults => new()
    {
        { """{"threadId":"THREAD"}""", 422, "title" },
        { """{"title":"t"}""", 422, "threadId" },
        { """{"threadId":"x","title":"t"}""", 422, "threadId" },
        { """{"threadId":"THREAD","title":" "}""", 422, "title" },
        { """{"threadId":"THREAD","title":"t","status":"completed"}""", 422, "status" },
        { """{"threadId":"THREAD","title":"t","todos":[{}]}""", 422, "todos[0].content" },
        { """{"threadId":"THREAD","title":"t","todos":[null]}""", 400, "todos[0]" },
        { """{"threadId":"THREAD","title":"t","todos":"x"}""", 400, "todos" },
        { """{"threadId":"THREAD","title":"t","todos":[{"content":"a","children":"x"}]}""", 400, "todos[0].children" },
        { """{"threadId":"THREAD","title":"t","todos":[{"content":"a","children":[{"content":1}]}]}""", 400, "todos[0].children[0].content" },
        { """{"threadId":"THREAD","title":"t","todos":[{"content":"a","blockedBy":[1]}]}""", 422, "todos[0].blockedBy[0]" },
        { """{"threadId":"THREAD","title":"t","todos":[{"content":"a","children":[{"content":"b","children":[{"content":"c","children":[{"content":"d","children":[{"content":"e"}]}]}]}]}]}""", 422, "todos[0].children[0].children[0].children[0].children" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Wrong_values_make_no_plan(string body, int status, string field)
    {
        var thread = await world.OpenAsync();
        await world.PostAsync("/api/plans", body.Replace("THREAD", thread.ToString(), StringComparison.Ordinal)).ShouldBeError(status, status == 422 ? "VALIDATION_ERROR" : "INVALID_REQUEST", field);
        (await world.GetAsync($"/api/plans?threadId={thread}")).GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Todos_that_wait_in_a_circle_make_no_plan()
    {
        var thread = await world.OpenAsync();
        object[][] circles = [[new { content = "a", blockedBy = new[] { 0 } }], [new { content = "a", blockedBy = new[] { 1 } }, new { content = "b", blockedBy = new[] { 0 } }], [new { content = "a", blockedBy = new[] { 1 }, children = new[] { new { content = "b" } } }]];
        foreach (var todos in circles) await world.PostAsync("/api/plans", new { threadId = thread, title = "t", todos }).ShouldBeError(409, "CONFLICT");
        (await world.GetAsync($"/api/plans?threadId={thread}")).GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_plan_has_no_more_todos_than_its_agent_allows()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        await world.Server.Client.PutAsync($"/api/agents/{agent}/plan", TurnWorld.Body(new { maxTodos = 2 }), Token).ShouldBe(200);
        var thread = await world.Server.CreateThreadAsync(agent);
        await world.PostAsync("/api/plans", new { threadId = thread, title = "t", todos = new[] { new { content = "a" }, new { content = "b" }, new { content = "c" } } }).ShouldBeError(422, "VALIDATION_ERROR", "todos");
        var plan = await world.PlanAsync(thread, new { content = "a" });
        await world.PostAsync($"/api/plans/{plan.Text("id")}/todos", new { todos = new[] { new { content = "b" }, new { content = "c" } } }).ShouldBeError(422, "VALIDATION_ERROR", "todos");
        (await world.ReadPlanAsync(plan)).Outline().ShouldBe("a0");
        await world.PostAsync($"/api/plans/{plan.Text("id")}/todos", new { content = "b" }).ShouldBe(201);
    }

    [Fact]
    public async Task Plans_go_alone_or_with_their_thread()
    {
        var thread = await world.OpenAsync();
        var (first, second) = (await world.PlanAsync(thread, new { content = "a" }), await world.PlanAsync(thread, new { content = "a" }));
        (await world.DeleteAsync($"/api/plans/{first.Text("id")}").ShouldBe(200)).GetRawText().ShouldBe("""{"ok":true}""");
        await world.DeleteAsync($"/api/plans/{first.Text("id")}").ShouldBeError(404, "NOT_FOUND");
        await world.DeleteAsync($"/api/threads/{thread}").ShouldBe(200);
        await world.Server.Client.GetAsync($"/api/plans/{second.Text("id")}", Token).ShouldBeError(404, "NOT_FOUND");
        await world.PostAsync("/api/plans", new { threadId = thread, title = "t" }).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task A_todo_that_is_added_while_the_thread_is_deleted_goes_with_it()
    {
        Assert.SkipUnless(TestDatabase.IsPostgres, "On SQLite one change waits for the other from its beginning.");
        var thread = await world.OpenAsync();
        var plan = (await world.PlanAsync(thread, new { content = "a" })).GetProperty("id").GetGuid();
        var org = await world.Server.FirstOrgAsync();
        await using var db = world.Server.Services.GetRequiredService<Databases>().Open(org);
        await using (var change = await db.Database.BeginTransactionAsync(Token))
        {
            // As every change of a plan begins.
            await db.Plans.Where(p => p.Id == plan).ExecuteUpdateAsync(rows => rows.SetProperty(p => p.Version, p => p.Version + 1), Token);
            var deleting = world.DeleteAsync($"/api/threads/{thread}");
            await UntilSomebodyWaitsAsync();
            var now = world.Server.Time.GetUtcNow().UtcDateTime;
            db.Todos.Add(new Todo { Id = Guid.NewGuid(), OrgId = org, PlanId = plan, Position = 1, Content = "b", CreatedAt = now, UpdatedAt = now });
            await db.SaveChangesAsync(Token);
            await change.CommitAsync(Token);
            await deleting.ShouldBe(200);
        }
        (await db.Plans.CountAsync(p => p.Id == plan, Token) + await db.Todos.CountAsync(t => t.PlanId == plan, Token)).ShouldBe(0);
    }

    private async Task UntilSomebodyWaitsAsync()
    {
        await using var connection = new NpgsqlConnection(world.Server.ConnectionString);
        await connection.OpenAsync(Token);
        await using var asking = new NpgsqlCommand("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'", connection);
        var deadline = Environment.TickCount64 + 30_000;
        while (await asking.ExecuteScalarAsync(Token) is 0L)
        {
            if (Environment.TickCount64 > deadline) throw new TimeoutException("nobody waits for a lock");
            await Task.Delay(5, Token);
        }
    }

    [Fact]
    public async Task People_see_the_plans_of_the_threads_they_see()
    {
        var thread = await world.OpenAsync();
        var plan = await world.PlanAsync(thread, new { content = "a" });
        var org = await world.Server.FirstOrgAsync();
        var (member, viewer) = ($"{Guid.NewGuid():N}@example.com", $"{Guid.NewGuid():N}@example.com");
        await world.Server.AddUserAsync(member, (org, "member"));
        await world.Server.AddUserAsync(viewer, (org, "admin"));
        using var stranger = await world.Server.ClientOfAsync(member);
        using var admin = await world.Server.ClientOfAsync(viewer);
        await stranger.GetAsync($"/api/plans/{plan.Text("id")}", Token).ShouldBeError(404, "NOT_FOUND");
        await world.PostAsync("/api/plans", new { threadId = thread, title = "t" }, stranger).ShouldBeError(404, "NOT_FOUND");
        (await world.GetAsync("/api/plans", stranger)).GetArrayLength().ShouldBe(0);
        await admin.GetAsync($"/api/plans/{plan.Text("id")}", Token).ShouldBe(200);
    }

    [Fact]
    public async Task Config_has_defaults_and_limits()
    {
        var agent = await world.Server.CreateAgentAsync();
        (await world.GetAsync($"/api/agents/{agent}/plan")).GetRawText().ShouldBe("""{"enabled":false,"require_approval":true,"max_todos":100,"updated_at":null}""");
        await world.Server.Client.PutAsync($"/api/agents/{agent}/plan", TurnWorld.Body(new { max_todos = 501 }), Token).ShouldBeError(422, "VALIDATION_ERROR", "maxTodos");
        await world.Server.Client.PutAsync($"/api/agents/{agent}/plan", TurnWorld.Body("""{"enabled":"yes"}"""), Token).ShouldBeError(400, "INVALID_REQUEST", "enabled");
        (await world.Server.Client.PutAsync($"/api/agents/{agent}/plan", TurnWorld.Body("""{"enabled":true,"maxTodos":500}"""), Token).ShouldBe(200)).GetRawText().ShouldStartWith("""{"enabled":true,"require_approval":true,"max_todos":500,"updated_at":"2""");
        await world.Server.Client.GetAsync($"/api/agents/{Guid.NewGuid()}/plan", Token).ShouldBeError(404, "NOT_FOUND");
    }
}
