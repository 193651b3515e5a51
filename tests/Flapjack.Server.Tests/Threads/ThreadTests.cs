using System.Text.Json;
using Flapjack.Server.Tests.Accounts;

namespace Flapjack.Server.Tests.Threads;

/// <summary>Threads as clients see them: fields, lists, changes, deletion.</summary>
public sealed class ThreadTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_thread_has_every_field_with_its_default()
    {
        var agent = await world.Server.CreateAgentAsync();
        var thread = await world.PostAsync("/api/threads", new { agentId = agent }).ShouldBe(200);
        string[] fields = ["id", "org_id", "agent_id", "title", "kind", "status", "active_profile", "system_prompt_overlay", "resource_bindings", "user_id", "awaiting_action", "active_turn_id", "parent_thread_id",
            "forked_from_message_id", "metadata", "created_at", "updated_at"];
        thread.EnumerateObject().Select(p => p.Name).ShouldBe(fields, ignoreOrder: true);
        foreach (var name in (string[])["title", "active_profile", "system_prompt_overlay", "user_id", "active_turn_id", "parent_thread_id", "forked_from_message_id"]) thread.GetProperty(name).ValueKind.ShouldBe(JsonValueKind.Null, name);
        thread.Text("kind").ShouldBe("single");
        thread.Text("status").ShouldBe("active");
        thread.GetProperty("awaiting_action").GetBoolean().ShouldBeFalse();
        thread.GetProperty("resource_bindings").GetRawText().ShouldBe("[]");
        thread.GetProperty("metadata").GetRawText().ShouldBe("{}");
        thread.GetProperty("agent_id").GetGuid().ShouldBe(agent);
        (await world.GetAsync($"/api/threads/{thread.Text("id")}")).ToString().ShouldBe(thread.ToString());
    }

    [Fact]
    public async Task Every_field_is_stored_and_read_back()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { toolProfiles = new { triage = new { tools = new[] { "*" } } } });
        var thread = await world.PostAsync("/api/threads", $$$"""
            {"agent_id":"{{{agent}}}","title":"T","kind":"multiplayer","activeProfile":"triage","systemPromptOverlay":["one","two"],"userId":"u-1","metadata":{"aB":1},
             "resourceBindings":[{"type":"customer","id":"42","label":"ACME","uri":"https://example.com/42","data":{"aB":[1]}},{"resourceType":"order","resource_id":"7"}]}
            """).ShouldBe(200);
        thread.Text("title").ShouldBe("T");
        thread.Text("kind").ShouldBe("multiplayer");
        thread.Text("active_profile").ShouldBe("triage");
        thread.Text("system_prompt_overlay").ShouldBe("one\n\ntwo");
        thread.Text("user_id").ShouldBe("u-1");
        thread.GetProperty("metadata").GetRawText().ShouldBe("""{"aB":1}""");
        thread.GetProperty("resource_bindings").GetRawText().ShouldBe("""[{"type":"customer","id":"42","label":"ACME","uri":"https://example.com/42","data":{"aB":[1]}},{"type":"order","id":"7"}]""");
        (await world.GetAsync($"/api/threads/{thread.Text("id")}")).ToString().ShouldBe(thread.ToString());
    }

    public static TheoryData<string, int, string, string?> Faults => new()
    {
        { "\"agentId\":null", 422, "VALIDATION_ERROR", "agentId" },
        { "\"agentId\":\"x\"", 422, "VALIDATION_ERROR", "agentId" },
        { "\"agentId\":\"019d0000-0000-7000-8000-000000000000\"", 404, "NOT_FOUND", null },
        { "\"title\":\"LONG301\"", 422, "VALIDATION_ERROR", "title" },
        { "\"kind\":\"group\"", 422, "VALIDATION_ERROR", "kind" },
        { "\"activeProfile\":\"nope\"", 422, "VALIDATION_ERROR", "activeProfile" },
        { "\"systemPromptOverlay\":\"LONG50001\"", 422, "VALIDATION_ERROR", "systemPromptOverlay" },
        { "\"systemPromptOverlay\":[1]", 400, "INVALID_REQUEST", null },
        { "\"systemPromptOverlay\":{}", 400, "INVALID_REQUEST", null },
        { "\"userId\":\"LONG256\"", 422, "VALIDATION_ERROR", "userId" },
        { "\"metadata\":{\"x\":\"LONG17000\"}", 422, "VALIDATION_ERROR", "metadata" },
        { "\"metadata\":\"x\"", 400, "INVALID_REQUEST", null },
        { "\"resourceBindings\":{}", 400, "INVALID_REQUEST", null },
        { "\"resourceBindings\":[null]", 400, "INVALID_REQUEST", null },
        { "\"resourceBindings\":[{\"id\":\"1\"}]", 422, "VALIDATION_ERROR", "resourceBindings[0].type" },
        { "\"resourceBindings\":[{\"type\":\"a\"}]", 422, "VALIDATION_ERROR", "resourceBindings[0].id" },
        { "\"resourceBindings\":[{\"type\":\"LONG101\",\"id\":\"1\"}]", 422, "VALIDATION_ERROR", "resourceBindings[0].type" },
        { "\"resourceBindings\":[{\"type\":\"a\",\"id\":\"LONG256\"}]", 422, "VALIDATION_ERROR", "resourceBindings[0].id" },
        { "\"resourceBindings\":[{\"type\":\"a\",\"id\":\"1\",\"data\":{\"x\":\"LONG33000\"}}]", 422, "VALIDATION_ERROR", "resourceBindings[0].data" },
        { "\"resourceBindings\":[{\"type\":\"a\",\"id\":\"1\",\"data\":[]}]", 400, "INVALID_REQUEST", null },
        { "\"orgId\":\"019d0000-0000-7000-8000-000000000000\"", 404, "NOT_FOUND", null },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Faults_are_refused_on_creation(string field, int status, string code, string? path)
    {
        var agent = await world.Server.CreateAgentAsync();
        var rest = field.StartsWith("\"agentId\"", StringComparison.Ordinal) ? "" : $"\"agentId\":\"{agent}\",";
        await world.PostAsync("/api/threads", "{" + rest + Grown(field) + "}").ShouldBeError(status, code, path);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Faults_are_refused_on_change_and_change_nothing(string field, int status, string code, string? path)
    {
        if (field.StartsWith("\"agentId\"", StringComparison.Ordinal) || field.StartsWith("\"orgId\"", StringComparison.Ordinal) || field.StartsWith("\"kind\"", StringComparison.Ordinal) || field.StartsWith("\"userId\"", StringComparison.Ordinal)) return;
        var thread = await world.OpenAsync(thread: new { title = "same" });
        var before = await world.ThreadAsync(thread);
        await world.PatchAsync($"/api/threads/{thread}", "{\"title\":\"other\"," + Grown(field) + "}").ShouldBeError(status, code, path);
        (await world.ThreadAsync(thread)).ToString().ShouldBe(before.ToString());
    }

    [Fact]
    public async Task More_than_twenty_bindings_are_refused()
    {
        var agent = await world.Server.CreateAgentAsync();
        object Body(int count) => new { agentId = agent, resourceBindings = Enumerable.Range(0, count).Select(i => new { type = "a", id = $"{i}" }) };
        await world.PostAsync("/api/threads", Body(20)).ShouldBe(200);
        await world.PostAsync("/api/threads", Body(21)).ShouldBeError(422, "VALIDATION_ERROR", "resourceBindings");
    }

    [Fact]
    public async Task Null_clears_and_what_is_not_sent_stays()
    {
        var thread = await world.OpenAsync(agent: new { toolProfiles = new { a = new { tools = new[] { "*" } } } },
            thread: new { title = "T", activeProfile = "a", systemPromptOverlay = "o", metadata = new { x = 1 }, resourceBindings = new[] { new { type = "a", id = "1" } } });
        var renamed = await world.PatchAsync($"/api/threads/{thread}", new { title = "U" }).ShouldBe(200);
        (renamed.Text("title"), renamed.Text("active_profile"), renamed.Text("system_prompt_overlay")).ShouldBe(("U", "a", "o"));
        var cleared = await world.PatchAsync($"/api/threads/{thread}", """{"title":null,"activeProfile":null,"systemPromptOverlay":null,"metadata":null,"resourceBindings":null}""").ShouldBe(200);
        foreach (var name in (string[])["title", "active_profile", "system_prompt_overlay"]) cleared.GetProperty(name).ValueKind.ShouldBe(JsonValueKind.Null, name);
        cleared.GetProperty("metadata").GetRawText().ShouldBe("{}");
        cleared.GetProperty("resource_bindings").GetRawText().ShouldBe("[]");
        (await world.PatchAsync($"/api/threads/{thread}", new { status = "archived" }).ShouldBe(200)).Text("status").ShouldBe("archived");
        await world.PostAsync($"/api/threads/{thread}/messages", new { content = "hi" }).ShouldBeError(409, "CONFLICT");
        await world.PatchAsync($"/api/threads/{thread}", new { status = "paused" }).ShouldBeError(422, "VALIDATION_ERROR", "status");
        await world.PatchAsync($"/api/threads/{thread}", new { status = "active" }).ShouldBe(200);
        (await world.Server.AskAsync(thread, "/echo again"))[^1].Event.ShouldBe("done");
    }

    [Fact]
    public async Task Pages_lose_no_thread_even_when_all_were_created_at_once()
    {
        var agent = await world.Server.CreateAgentAsync();
        var created = await CreateAsync(agent, 60);
        var seen = new List<Guid>();
        var times = new List<string>();
        string? cursor = null;
        do
        {
            var page = await world.GetAsync($"/api/threads?agentId={agent}&limit=7" + (cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}"));
            foreach (var thread in page.GetProperty("threads").EnumerateArray())
            {
                seen.Add(thread.GetProperty("id").GetGuid());
                times.Add(thread.Text("created_at"));
            }
            cursor = page.GetProperty("nextCursor").GetString();
            if (cursor is not null) cursor.ShouldBe(times[^1]);
        }
        while (cursor is not null);
        seen.ShouldBe(created, ignoreOrder: true);
        times.Distinct().Count().ShouldBe(60);
    }

    [Fact]
    public async Task Lists_take_status_user_and_limits()
    {
        var agent = await world.Server.CreateAgentAsync();
        var one = await world.Server.CreateThreadAsync(agent, new { userId = "u-1" });
        var two = await world.Server.CreateThreadAsync(agent, new { userId = "u-2" });
        await world.PatchAsync($"/api/threads/{two}", new { status = "archived" }).ShouldBe(200);
        async Task<Guid[]> List(string query) => [.. (await world.GetAsync($"/api/threads?agentId={agent}{query}")).GetProperty("threads").EnumerateArray().Select(t => t.GetProperty("id").GetGuid())];
        (await List("")).ShouldBe([one]);
        (await List("&status=archived")).ShouldBe([two]);
        (await List("&status=all")).ShouldBe([two, one]);
        (await List("&status=all&userId=u-2")).ShouldBe([two]);
        (await List("&scope=org")).ShouldBe([one]);
        (await List("&limit=1000")).ShouldBe([one]);
        await world.Server.Client.GetAsync("/api/threads", Token).ShouldBeError(422, "VALIDATION_ERROR", "agentId");
        await world.Server.Client.GetAsync($"/api/threads?agentId={Guid.CreateVersion7()}", Token).ShouldBeError(404, "NOT_FOUND");
        await world.Server.Client.GetAsync($"/api/threads?agentId={agent}&limit=0", Token).ShouldBeError(422, "VALIDATION_ERROR", "limit");
        await world.Server.Client.GetAsync($"/api/threads?agentId={agent}&limit=ten", Token).ShouldBeError(400, "INVALID_REQUEST");
        await world.Server.Client.GetAsync($"/api/threads?agentId={agent}&cursor=yesterday", Token).ShouldBeError(422, "VALIDATION_ERROR", "cursor");
        await world.Server.Client.GetAsync($"/api/threads?agentId={agent}&status=open", Token).ShouldBeError(422, "VALIDATION_ERROR", "status");
    }

    [Fact]
    public async Task At_most_a_hundred_threads_come_in_a_page()
    {
        var agent = await world.Server.CreateAgentAsync();
        await CreateAsync(agent, 101);
        (await world.GetAsync($"/api/threads?agentId={agent}")).GetProperty("threads").GetArrayLength().ShouldBe(50);
        (await world.GetAsync($"/api/threads?agentId={agent}&limit=500")).GetProperty("threads").GetArrayLength().ShouldBe(100);
    }

    [Fact]
    public async Task Deleting_removes_rows_and_blanks_traces()
    {
        var thread = await world.OpenAsync();
        await world.Server.AskAsync(thread, "/tool echo {\"secret\":\"pineapple\"}");
        (await world.TraceAsync(thread)).ToString().ShouldContain("pineapple");
        (await world.Server.Client.DeleteAsync($"/api/threads/{thread}", Token).ShouldBe(200)).ToString().ShouldBe("""{"ok":true}""");
        await world.Server.Client.GetAsync($"/api/threads/{thread}", Token).ShouldBeError(404, "NOT_FOUND");
        await world.Server.Client.GetAsync($"/api/threads/{thread}/messages", Token).ShouldBeError(404, "NOT_FOUND");
        await world.Server.Client.DeleteAsync($"/api/threads/{thread}", Token).ShouldBeError(404, "NOT_FOUND");
        var trace = await world.TraceAsync(thread);
        trace.ToString().ShouldNotContain("pineapple");
        trace.GetProperty("spans").EnumerateArray().ShouldAllBe(s => s.GetProperty("input").ValueKind == JsonValueKind.Null && s.GetProperty("output").ValueKind == JsonValueKind.Null);
        await using var db = world.Server.Database();
        db.Messages.Count(m => m.ThreadId == thread).ShouldBe(0);
        db.Turns.Count(t => t.ThreadId == thread).ShouldBe(0);
    }

    [Fact]
    public async Task Deleting_stops_a_running_turn()
    {
        var thread = await world.OpenAsync();
        var hold = world.Tools.Hold($"delete {thread}");
        await using var stream = await world.SendAsync(thread, new { content = $$"""/tool hold {"key":"delete {{thread}}"}""" });
        await hold.Entered;
        await world.Server.Client.DeleteAsync($"/api/threads/{thread}", Token).ShouldBe(200);
        await hold.Cancelled;
        (await stream.EndAsync()).Event.ShouldBe("done");
        stream.Seen[^1].Data.GetProperty("stopped").GetBoolean().ShouldBeTrue();
        await world.Server.Client.GetAsync($"/api/threads/{thread}/messages", Token).ShouldBeError(404, "NOT_FOUND");
    }

    private static string Grown(string body)
    {
        var at = body.IndexOf("LONG", StringComparison.Ordinal);
        if (at < 0) return body;
        var digits = new string([.. body[(at + 4)..].TakeWhile(char.IsAsciiDigit)]);
        return body.Replace("LONG" + digits, new string('x', int.Parse(digits, System.Globalization.CultureInfo.InvariantCulture)), StringComparison.Ordinal);
    }

    // Many at once, and no more than a database has connections for at once.
    private async Task<List<Guid>> CreateAsync(Guid agent, int count)
    {
        var created = new List<Guid>();
        foreach (var some in Enumerable.Range(0, count).Chunk(12)) created.AddRange(await Task.WhenAll(some.Select(_ => world.Server.CreateThreadAsync(agent))));
        return created;
    }
}
