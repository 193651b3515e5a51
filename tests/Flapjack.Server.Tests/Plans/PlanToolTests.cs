using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Plans;

/// <summary>Planning from inside a turn: the four tools, the open plan in the prompt, plan mode.</summary>
public sealed class PlanToolTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static readonly string[] Names = ["plan_create", "plan_update", "todo_add", "todo_update"];

    [Fact]
    public async Task A_model_plans_and_works_its_plan_off()
    {
        var thread = await OpenAsync();
        var (plan, told) = await CallAsync(thread, "plan_create", new { title = "Migrate", todos = new object[] { new { content = "a", children = new[] { new { content = "b" } } }, new { content = "c", blocked_by = new[] { 0 } } } });
        plan.GetRawText().ShouldBe((await world.GetAsync($"/api/plans?threadId={thread}"))[0].GetRawText());
        (plan.Text("status"), plan.Outline()).ShouldBe(("draft", "a0 >b0 c1"));
        (told.Single().Text("kind"), told.Single().GetProperty("payload").GetRawText()).ShouldBe(("plan_updated", $$"""{"plan_id":"{{plan.Text("id")}}"}"""));

        (await CallAsync(thread, "todo_update", new { todo_id = plan.TodoId(2), status = "in_progress" })).Result.Text("error").ShouldBe("CONFLICT");
        var (begun, _) = await CallAsync(thread, "todo_update", new { todo_id = plan.TodoId(1), status = "in_progress", note = "begun" });
        (begun.Text("status"), begun.Text("note"), begun.GetProperty("depth").GetInt32()).ShouldBe(("in_progress", "begun", 1));
        (await world.ReadPlanAsync(plan)).Text("status").ShouldBe("in_progress");
        var (added, _) = await CallAsync(thread, "todo_add", new { content = "d", parent_id = plan.TodoId(0), blocked_by = new[] { plan.TodoId(1) } });
        (added.Text("parent_id"), added.GetProperty("ready").GetBoolean()).ShouldBe((plan.TodoId(0), false));
        (await CallAsync(thread, "plan_update", new { title = "Moved", status = "cancelled" })).Result.Text("status").ShouldBe("cancelled");
        (await CallAsync(thread, "todo_add", new { content = "late" })).Result.Text("error").ShouldBe("NOT_FOUND");
        (await CallAsync(thread, "todo_add", new { content = "late", plan_id = plan.Text("id") })).Result.Text("error").ShouldBe("CONFLICT");
    }

    public static TheoryData<string, string> Refusals => new()
    {
        { """/tool plan_create {"title":"t","status":"approved"}""", "INVALID_ARGUMENTS" },
        { """/tool plan_create {"title":" "}""", "INVALID_ARGUMENTS" },
        { """/tool plan_create {"title":"t","todos":[{"content":"a","blocked_by":[7]}]}""", "INVALID_ARGUMENTS" },
        { """/tool plan_create {"title":"t","todos":[{"content":"a","blocked_by":[0]}]}""", "CONFLICT" },
        { """/tool plan_create {"title":"t","todos":[{"content":"a"},{"content":"b"},{"content":"c"},{"content":"d"}]}""", "LIMIT_EXCEEDED" },
        { """/tool plan_update {"status":"approved"}""", "INVALID_ARGUMENTS" },
        { """/tool plan_update {"title":"t"}""", "NOT_FOUND" },
        { """/tool plan_update {"plan_id":"x"}""", "INVALID_ARGUMENTS" },
        { """/tool todo_update {"todo_id":"0197a1c2-7d10-7c31-9a55-0b6f2f7f0001","status":"done"}""", "NOT_FOUND" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refused_call_changes_nothing(string directive, string code)
    {
        var thread = await OpenAsync(new { enabled = true, maxTodos = 3 });
        await using var stream = await world.SendAsync(thread, new { content = directive });
        (await stream.EndAsync()).Event.ShouldBe("done");
        stream.Seen.Of("tool_result").Single().GetProperty("result").Text("error").ShouldBe(code);
        stream.Seen.Of("client_event").ShouldBeEmpty();
        (await world.GetAsync($"/api/plans?threadId={thread}")).GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_model_reaches_the_plans_of_its_own_thread_only()
    {
        var (thread, other) = (await OpenAsync(), await OpenAsync());
        var plan = await world.PlanAsync(other, new { content = "a" });
        foreach (var (tool, arguments) in new (string, object)[] { ("plan_update", new { plan_id = plan.Text("id"), status = "cancelled" }), ("todo_add", new { plan_id = plan.Text("id"), content = "x" }), ("todo_update", new { todo_id = plan.TodoId(0), status = "done" }) })
        {
            (await CallAsync(thread, tool, arguments)).Result.Text("error").ShouldBe("NOT_FOUND", tool);
        }
        (await world.ReadPlanAsync(plan)).GetRawText().ShouldBe(plan.GetRawText());
    }

    [Fact]
    public async Task Without_required_approval_a_models_plan_is_approved_by_nobody()
    {
        var thread = await OpenAsync(new { enabled = true, requireApproval = false });
        var (plan, _) = await CallAsync(thread, "plan_create", new { title = "t" });
        (plan.Text("status"), plan.GetProperty("approved_by").ValueKind).ShouldBe(("approved", JsonValueKind.Null));
    }

    [Fact]
    public async Task Plan_tools_are_there_when_config_or_message_says_so()
    {
        var (on, off) = (await OpenAsync(model: TurnWorld.OpenAI), await world.OpenAsync(TurnWorld.OpenAI));
        foreach (var (thread, overrides, offered) in new (Guid, object?, bool)[]
        {
            (on, null, true), (on, new { mode = "off" }, true), (on, new { enabled = false }, false), (on, new { mode = "execute" }, true),
            (off, null, false), (off, new { mode = "off" }, false), (off, new { enabled = true }, true), (off, new { mode = "execute" }, true), (off, new { mode = "execute", enabled = false }, false), (off, new { planMode = false }, false),
        })
        {
            await AskAsync(thread, overrides);
            Offered().Intersect(Names).Any().ShouldBe(offered, JsonSerializer.Serialize(overrides));
            Offered().ShouldContain("weather");
        }
    }

    [Theory]
    [InlineData("""{"mode":"plan"}""")]
    [InlineData("""{"planMode":true}""")]
    public async Task In_plan_mode_the_model_may_plan_and_is_told_to_wait(string mode)
    {
        var thread = await world.OpenAsync(TurnWorld.OpenAI);
        await AskAsync(thread, JsonSerializer.Deserialize<JsonElement>(mode));
        Offered().ShouldBe(Names, ignoreOrder: true);
        Prompt().ShouldContain("propose a plan");
        Prompt().ShouldContain("Wait until the user approves");
    }

    [Fact]
    public async Task A_mode_that_is_none_is_refused()
    {
        var thread = await world.OpenAsync();
        await world.PostAsync($"/api/threads/{thread}/messages", new { content = "hi", planOverrides = new { mode = "later" } }).ShouldBeError(422, "VALIDATION_ERROR", "planOverrides.mode");
        await world.PostAsync($"/api/threads/{thread}/messages", new { content = "hi", planOverrides = new { planMode = "yes" } }).ShouldBeError(400, "INVALID_REQUEST", "planOverrides.planMode");
    }

    [Fact]
    public async Task The_open_plan_stands_in_the_prompt_until_it_is_closed()
    {
        var thread = await OpenAsync(model: TurnWorld.OpenAI);
        await AskAsync(thread);
        Prompt().ShouldNotContain("Its texts say what is to be done");
        var plan = await world.PlanAsync(thread, new { content = "Export\ninvoices" }, new { content = "Import them", blockedBy = new[] { 0 } });
        await AskAsync(thread);
        Prompt().ShouldContain("not approved yet");
        Prompt().ShouldContain($"Plan {plan.Text("id")} (draft): Migrate billing");
        Prompt().ShouldContain($"- [pending, ready] Export invoices ({plan.TodoId(0)})");
        Prompt().ShouldContain($"- [pending, waiting] Import them ({plan.TodoId(1)})");
        await world.PatchAsync($"/api/plans/{plan.Text("id")}", new { status = "approved" }).ShouldBe(200);
        await AskAsync(thread);
        Prompt().ShouldContain("(approved): Migrate billing");
        Prompt().ShouldNotContain("not approved yet");
        await world.PatchAsync($"/api/plans/{plan.Text("id")}", new { status = "cancelled" }).ShouldBe(200);
        await AskAsync(thread);
        Prompt().ShouldNotContain("Migrate billing");
    }

    [Fact]
    public async Task The_schemas_are_those_of_the_contract()
    {
        var thread = await OpenAsync(model: TurnWorld.OpenAI);
        await AskAsync(thread);
        var schemas = world.Upstream.LastRequest.Body.GetProperty("tools").EnumerateArray().Where(t => Names.Contains(t.Text("name"))).ToDictionary(t => t.Text("name"), t => t.GetProperty("parameters"));
        foreach (var schema in schemas.Values) schema.GetProperty("additionalProperties").GetBoolean().ShouldBeFalse();
        Shape("plan_create").ShouldBe("title! description todos");
        Shape("plan_update").ShouldBe("plan_id title description status");
        Shape("todo_add").ShouldBe("content! plan_id parent_id blocked_by");
        Shape("todo_update").ShouldBe("todo_id! status content note");
        schemas["plan_update"].GetProperty("properties").GetProperty("status").GetProperty("enum").GetRawText().ShouldBe("""["in_progress","completed","cancelled"]""");

        string Shape(string tool)
        {
            var required = schemas[tool].TryGetProperty("required", out var names) ? names.EnumerateArray().Select(n => n.GetString()).ToList() : [];
            return string.Join(' ', schemas[tool].GetProperty("properties").EnumerateObject().Select(p => p.Name + (required.Contains(p.Name) ? "!" : "")));
        }
    }

    private async Task<Guid> OpenAsync(object? config = null, string model = "flapjack-offline")
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = model });
        await world.Server.Client.PutAsync($"/api/agents/{agent}/plan", TurnWorld.Body(config ?? new { enabled = true }), TestContext.Current.CancellationToken).ShouldBe(200);
        return await world.Server.CreateThreadAsync(agent);
    }

    private async Task<(JsonElement Result, List<JsonElement> Told)> CallAsync(Guid thread, string tool, object arguments)
    {
        await using var stream = await world.SendAsync(thread, new { content = $"/tool {tool} {JsonSerializer.Serialize(arguments)}" });
        await stream.EndAsync();
        return (stream.Seen.Of("tool_result").Single().GetProperty("result"), [.. stream.Seen.Of("client_event")]);
    }

    private async Task AskAsync(Guid thread, object? planOverrides = null)
    {
        world.Upstream.Reply(Script.Text("ok"));
        await using var stream = await world.SendAsync(thread, planOverrides is null ? new { content = "hi" } : new { content = "hi", planOverrides });
        (await stream.EndAsync()).Event.ShouldBe("done");
    }

    private IEnumerable<string> Offered() => world.Upstream.LastRequest.Body.TryGetProperty("tools", out var tools) ? tools.EnumerateArray().Select(t => t.Text("name")) : [];

    private string Prompt() => world.Upstream.LastRequest.Body.GetRawText().Replace("\\n", "\n", StringComparison.Ordinal);
}
