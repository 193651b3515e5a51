using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.Plans;

/// <summary>Todos: how they hang together, wait for each other and move their plan.</summary>
public sealed class TodoTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_plan_follows_its_todos()
    {
        var plan = await world.PlanAsync(await world.OpenAsync(), new { content = "a" }, new { content = "b" });
        var started = await world.SetAsync(plan, 0, new { status = "in-progress" }).ShouldBe(200);
        (started.Text("status"), started.GetProperty("started_at").ValueKind, started.GetProperty("finished_at").ValueKind).ShouldBe(("in_progress", JsonValueKind.String, JsonValueKind.Null));
        (await world.ReadPlanAsync(plan)).Text("status").ShouldBe("in_progress");
        var done = await world.SetAsync(plan, 0, new { status = "completed", note = "all of 2025" }).ShouldBe(200);
        (done.Text("status"), done.Text("note"), done.GetProperty("finished_at").ValueKind).ShouldBe(("done", "all of 2025", JsonValueKind.String));
        (await world.ReadPlanAsync(plan)).Text("status").ShouldBe("in_progress");
        await world.SetAsync(plan, 1, new { status = "skipped" }).ShouldBe(200);
        var closed = await world.ReadPlanAsync(plan);
        (closed.Text("status"), closed.GetProperty("progress").GetRawText()).ShouldBe(("completed", """{"total":2,"done":1,"skipped":1,"in_progress":0,"pending":0}"""));
        await world.PostAsync($"/api/plans/{plan.Text("id")}/todos", new { content = "c" }).ShouldBeError(409, "CONFLICT");
        await world.SetAsync(plan, 0, new { status = "pending" }).ShouldBeError(409, "CONFLICT");
        await world.SetAsync(plan, 0, new { note = "later remark" }).ShouldBe(200);
        await world.PatchAsync($"/api/plans/{plan.Text("id")}", new { status = "approved" }).ShouldBe(200);
        (await world.SetAsync(plan, 1, new { status = "pending" }).ShouldBe(200)).GetProperty("finished_at").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task A_plan_that_is_opened_again_begins_with_the_next_todo_that_does()
    {
        var plan = await world.PlanAsync(await world.OpenAsync(), new { content = "a" });
        await world.SetAsync(plan, 0, new { status = "done" }).ShouldBe(200);
        (await world.ReadPlanAsync(plan)).Text("status").ShouldBe("completed");
        await world.PatchAsync($"/api/plans/{plan.Text("id")}", new { status = "approved" }).ShouldBe(200);
        var added = await world.PostAsync($"/api/plans/{plan.Text("id")}/todos", new { content = "b" }).ShouldBe(201);
        (await world.ReadPlanAsync(plan)).Text("status").ShouldBe("approved");
        await world.PatchAsync($"/api/plans/{plan.Text("id")}/todos/{added.Text("id")}", new { position = 0 }).ShouldBe(200);
        (await world.ReadPlanAsync(plan)).Text("status").ShouldBe("approved");
        await world.DeleteAsync($"/api/plans/{plan.Text("id")}/todos/{added.Text("id")}").ShouldBe(200);
        (await world.ReadPlanAsync(plan)).Text("status").ShouldBe("completed", "its last open todo is gone");
    }

    [Fact]
    public async Task A_parent_follows_its_children()
    {
        var plan = await world.PlanAsync(await world.OpenAsync(), new { content = "a", children = new object[] { new { content = "b" }, new { content = "c", children = new[] { new { content = "d" } } } } }, new { content = "e" });
        async Task<string> After(int todo, string status)
        {
            await world.SetAsync(plan, todo, new { status }).ShouldBe(200);
            return (await world.ReadPlanAsync(plan)).Statuses();
        }
        (await After(3, "in_progress")).ShouldBe("in_progress pending in_progress in_progress pending");
        (await After(3, "skipped")).ShouldBe("pending pending skipped skipped pending");
        (await After(1, "done")).ShouldBe("done done skipped skipped pending");
        (await After(1, "skipped")).ShouldBe("skipped skipped skipped skipped pending");
        await world.SetAsync(plan, 0, new { status = "done" }).ShouldBeError(409, "CONFLICT");
        // A new child opens its parent again; when it goes the parent is as the others make it.
        var added = await world.PostAsync($"/api/plans/{plan.Text("id")}/todos", new { content = "f", parentId = plan.TodoId(0), position = 0 }).ShouldBe(201);
        (await world.ReadPlanAsync(plan)).Statuses().ShouldBe("pending pending skipped skipped skipped pending");
        await world.DeleteAsync($"/api/plans/{plan.Text("id")}/todos/{added.Text("id")}").ShouldBe(200);
        (await world.ReadPlanAsync(plan)).Statuses().ShouldBe("skipped skipped skipped skipped pending");
    }

    [Fact]
    public async Task A_todo_that_waits_is_neither_ready_nor_started()
    {
        var plan = await world.PlanAsync(await world.OpenAsync(), new { content = "a" }, new { content = "b", blockedBy = new[] { 0 } }, new { content = "c", children = new[] { new { content = "d" } } });
        async Task<string> Ready() => (await world.GetAsync($"/api/plans/{plan.Text("id")}/ready")).Contents();
        (await Ready()).ShouldBe("a d");
        await world.SetAsync(plan, 1, new { status = "in_progress" }).ShouldBeError(409, "CONFLICT");
        await world.SetAsync(plan, 1, new { status = "done" }).ShouldBeError(409, "CONFLICT");
        await world.SetAsync(plan, 1, new { status = "skipped" }).ShouldBe(200);
        await world.SetAsync(plan, 1, new { status = "in_progress" }).ShouldBeError(409, "CONFLICT");
        await world.SetAsync(plan, 1, new { status = "pending" }).ShouldBe(200);
        (await world.ReadPlanAsync(plan)).Text("status").ShouldBe("draft");
        await world.SetAsync(plan, 0, new { status = "skipped" }).ShouldBe(200);
        (await Ready()).ShouldBe("b d");
        await world.PostAsync(plan.TodoPath(2) + "/deps", new { dependsOnId = plan.TodoId(1) }).ShouldBe(201);
        (await Ready()).ShouldBe("b");
        await world.SetAsync(plan, 1, new { status = "done" }).ShouldBe(200);
        (await Ready()).ShouldBe("d");
    }

    [Fact]
    public async Task Dependencies_are_added_once_listed_and_taken_away()
    {
        var thread = await world.OpenAsync();
        var plan = await world.PlanAsync(thread, new { content = "a" }, new { content = "b" }, new { content = "c", children = new[] { new { content = "d" } } });
        var other = await world.PlanAsync(thread, new { content = "x" });
        var deps = plan.TodoPath(1) + "/deps";
        var edge = await world.PostAsync(deps, new { dependsOnId = plan.TodoId(0) }).ShouldBe(201);
        edge.EnumerateObject().Select(p => p.Name).ShouldBe(["todo_id", "depends_on_id", "created_at"]);
        (edge.Text("todo_id"), edge.Text("depends_on_id")).ShouldBe((plan.TodoId(1), plan.TodoId(0)));
        (await world.PostAsync(deps, new { blockerId = plan.TodoId(0) }).ShouldBe(200)).GetRawText().ShouldBe(edge.GetRawText());
        (await world.GetAsync(deps)).GetRawText().ShouldBe($"[{edge.GetRawText()}]");
        await world.PostAsync(deps, new { dependsOn = plan.TodoId(1) }).ShouldBeError(409, "CONFLICT");
        await world.PostAsync(plan.TodoPath(0) + "/deps", new { dependsOnId = plan.TodoId(1) }).ShouldBeError(409, "CONFLICT");
        // A parent and what is under it would wait for each other.
        await world.PostAsync(plan.TodoPath(2) + "/deps", new { dependsOnId = plan.TodoId(3) }).ShouldBeError(409, "CONFLICT");
        await world.PostAsync(plan.TodoPath(3) + "/deps", new { dependsOnId = plan.TodoId(2) }).ShouldBeError(409, "CONFLICT");
        await world.PostAsync(deps, new { dependsOnId = other.TodoId(0) }).ShouldBeError(404, "NOT_FOUND");
        await world.PostAsync(deps, new { }).ShouldBeError(422, "VALIDATION_ERROR", "dependsOnId");
        await world.PostAsync(deps, new { dependsOnId = "x" }).ShouldBeError(422, "VALIDATION_ERROR", "dependsOnId");
        await world.DeleteAsync(deps, new { dependsOnId = plan.TodoId(2) }).ShouldBeError(404, "NOT_FOUND");
        (await world.DeleteAsync($"{deps}?dependsOnId={plan.TodoId(0)}").ShouldBe(200)).GetRawText().ShouldBe("""{"ok":true}""");
        (await world.GetAsync(deps)).GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Todos_move_among_parents_and_places()
    {
        var plan = await world.PlanAsync(await world.OpenAsync(), new { content = "a" }, new { content = "b", children = new[] { new { content = "c" } } }, new { content = "d" });
        async Task<string> Moved(int todo, string change)
        {
            await world.SetAsync(plan, todo, change).ShouldBe(200);
            return (await world.ReadPlanAsync(plan)).Outline();
        }
        (await Moved(3, """{"position":0}""")).ShouldBe("d0 a1 b2 >c0");
        (await Moved(0, $$"""{"parentId":"{{plan.TodoId(2)}}"}""")).ShouldBe("d0 b1 >c0 >>a0");
        (await Moved(0, """{"parentId":null,"position":99}""")).ShouldBe("d0 b1 >c0 a2");
        await world.SetAsync(plan, 1, new { parentId = plan.TodoId(2) }).ShouldBeError(409, "CONFLICT");
        await world.SetAsync(plan, 1, new { parentId = plan.TodoId(1) }).ShouldBeError(409, "CONFLICT");
        await world.SetAsync(plan, 1, new { parentId = Guid.NewGuid() }).ShouldBeError(404, "NOT_FOUND");
        await world.SetAsync(plan, 1, new { position = -1 }).ShouldBeError(422, "VALIDATION_ERROR", "position");
        await world.SetAsync(plan, 1, new { content = "" }).ShouldBeError(422, "VALIDATION_ERROR", "content");
        await world.SetAsync(plan, 1, new { status = "gone" }).ShouldBeError(422, "VALIDATION_ERROR", "status");
        (await world.ReadPlanAsync(plan)).Outline().ShouldBe("d0 b1 >c0 a2");
    }

    [Fact]
    public async Task Nesting_ends_at_four_levels()
    {
        var plan = await world.PlanAsync(await world.OpenAsync(), new { content = "a", children = new[] { new { content = "b", children = new[] { new { content = "c" } } } } }, new { content = "x", children = new[] { new { content = "y" } } });
        var deepest = await world.PostAsync($"/api/plans/{plan.Text("id")}/todos", new { content = "d", parentId = plan.TodoId(2) }).ShouldBe(201);
        deepest.GetProperty("depth").GetInt32().ShouldBe(3);
        await world.PostAsync($"/api/plans/{plan.Text("id")}/todos", new { content = "e", parentId = deepest.Text("id") }).ShouldBeError(422, "VALIDATION_ERROR", "parentId");
        await world.SetAsync(plan, 3, new { parentId = plan.TodoId(2) }).ShouldBeError(422, "VALIDATION_ERROR", "parentId");
        await world.SetAsync(plan, 3, new { parentId = plan.TodoId(1) }).ShouldBe(200);
    }

    [Fact]
    public async Task Several_todos_are_added_together_or_not_at_all()
    {
        var plan = await world.PlanAsync(await world.OpenAsync(), new { content = "a" });
        var path = $"/api/plans/{plan.Text("id")}/todos";
        var added = await world.PostAsync(path, new { todos = new object[] { new { content = "b", position = 0 }, new { content = "c", blockedBy = new[] { plan.TodoId(0) } }, new { content = "d", status = "in_progress" } } }).ShouldBe(201);
        added.Contents().ShouldBe("b c d");
        (await world.ReadPlanAsync(plan)).Outline().ShouldBe("b0 a1 c2 d3");
        (await world.ReadPlanAsync(plan)).Text("status").ShouldBe("in_progress");
        await world.PostAsync(path, new { todos = new object[] { new { content = "e" }, new { content = "f", parentId = Guid.NewGuid() } } }).ShouldBeError(404, "NOT_FOUND");
        await world.PostAsync(path, new { todos = new object[] { new { content = "e" }, new { } } }).ShouldBeError(422, "VALIDATION_ERROR", "todos[1].content");
        await world.PostAsync(path, new { todos = Array.Empty<object>() }).ShouldBeError(422, "VALIDATION_ERROR", "todos");
        (await world.ReadPlanAsync(plan)).Outline().ShouldBe("b0 a1 c2 d3");
    }

    [Fact]
    public async Task A_todo_takes_what_is_under_it_along()
    {
        var plan = await world.PlanAsync(await world.OpenAsync(), new { content = "a", children = new[] { new { content = "b" } } }, new { content = "c", blockedBy = new[] { 0 } });
        await world.DeleteAsync(plan.TodoPath(0)).ShouldBe(200);
        var read = await world.ReadPlanAsync(plan);
        read.Outline().ShouldBe("c0");
        (read.GetProperty("todos")[0].GetProperty("ready").GetBoolean(), read.GetProperty("todos")[0].GetProperty("blocked_by").GetArrayLength()).ShouldBe((true, 0));
        await world.DeleteAsync(plan.TodoPath(1)).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Changes_at_once_leave_a_whole_plan()
    {
        var plan = await world.PlanAsync(await world.OpenAsync(), [.. Enumerable.Range(0, 6).Select(i => new { content = $"t{i}" })]);
        // Two of each pair may be asked to wait for each other: one of them must be refused.
        var edges = await Task.WhenAll(Enumerable.Range(0, 6).Select(async i =>
        {
            using var answer = await world.PostAsync(plan.TodoPath(i) + "/deps", new { dependsOnId = plan.TodoId(i ^ 1) });
            return (int)answer.StatusCode;
        }));
        edges.Count(status => status == 201).ShouldBe(3);
        edges.Count(status => status == 409).ShouldBe(3);
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => world.PostAsync($"/api/plans/{plan.Text("id")}/todos", new { content = $"n{i}", position = 0 }).ShouldBe(201)));
        var read = await world.ReadPlanAsync(plan);
        read.GetProperty("todos").EnumerateArray().Select(t => t.GetProperty("position").GetInt32()).ShouldBe(Enumerable.Range(0, 18));
        await Task.WhenAll(read.GetProperty("todos").EnumerateArray().Select(t => world.PatchAsync($"/api/plans/{plan.Text("id")}/todos/{t.Text("id")}", new { status = "skipped" }).ShouldBe(200)));
        (await world.ReadPlanAsync(plan)).Text("status").ShouldBe("completed");
    }
}
