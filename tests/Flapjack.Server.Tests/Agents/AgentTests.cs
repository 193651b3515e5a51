using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.Agents;

/// <summary>Agents as clients see them: fields, limits, lists, deletion.</summary>
public sealed class AgentTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private readonly ServerFixture server = world.Server;

    private const string Profiles = """{"triage":{"label":"Triage","tools":["web_*"],"systemPromptOverlay":"Only look.","switchable":true},"full":{"tools":["*"]}}""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_agent_has_every_field_with_its_default()
    {
        var agent = await Create("""{"name":"Ada"}""").ShouldBe(201);
        string[] fields = ["id", "org_id", "name", "description", "stable_preamble", "default_model", "temperature", "tool_profiles", "default_profile", "scheduled_tasks_enabled", "runtime_provider", "computer",
            "published_chats", "project_id", "max_tool_calls", "max_output_tokens", "metadata", "created_at", "updated_at"];
        agent.EnumerateObject().Select(p => p.Name).ShouldBe(fields, ignoreOrder: true);
        foreach (var name in (string[])["description", "stable_preamble", "temperature", "tool_profiles", "default_profile", "runtime_provider", "project_id", "max_output_tokens"]) agent.GetProperty(name).ValueKind.ShouldBe(JsonValueKind.Null, name);
        agent.Text("default_model").ShouldBe("gpt-5.4");
        agent.GetProperty("max_tool_calls").GetInt32().ShouldBe(10);
        agent.GetProperty("computer").GetRawText().ShouldBe("""{"enabled":false}""");
        agent.GetProperty("published_chats").GetRawText().ShouldBe("[]");
        agent.GetProperty("metadata").GetRawText().ShouldBe("{}");
        agent.GetProperty("scheduled_tasks_enabled").GetBoolean().ShouldBeFalse();
        agent.GetProperty("id").GetGuid().Version.ShouldBe(7);
        agent.Text("created_at").ShouldEndWith("Z");
        (await Get(agent)).ToString().ShouldBe(agent.ToString());
    }

    [Fact]
    public async Task Every_field_is_stored_and_read_back()
    {
        var agent = await Create($$$"""
            {"name":"Ada","description":"d","stablePreamble":"p","defaultModel":"flapjack-offline","temperature":0.5,"toolProfiles":{{{Profiles}}},"defaultProfile":"triage","runtimeProvider":"modal",
             "scheduledTasksEnabled":true,"maxToolCalls":3,"maxOutputTokens":100,"metadata":{"aB":{"c_d":1}},"unknownField":1}
            """).ShouldBe(201);
        var read = await Get(agent);
        read.Text("description").ShouldBe("d");
        read.Text("stable_preamble").ShouldBe("p");
        read.Text("default_model").ShouldBe("flapjack-offline");
        read.GetProperty("temperature").GetDouble().ShouldBe(0.5);
        JsonElement.DeepEquals(read.GetProperty("tool_profiles"), JsonElement.Parse(Profiles)).ShouldBeTrue("profiles are stored as given");
        read.Text("default_profile").ShouldBe("triage");
        read.Text("runtime_provider").ShouldBe("modal");
        read.GetProperty("scheduled_tasks_enabled").GetBoolean().ShouldBeTrue();
        read.GetProperty("max_tool_calls").GetInt32().ShouldBe(3);
        read.GetProperty("max_output_tokens").GetInt32().ShouldBe(100);
        read.GetProperty("metadata").GetRawText().ShouldBe("""{"aB":{"c_d":1}}""");
    }

    [Fact]
    public async Task Both_spellings_are_read_and_camel_case_wins()
    {
        var agent = await Create("""{"name":"Ada","stable_preamble":"snake","max_tool_calls":4,"runtime_provider":"modal","runtimeProvider":"tensorlake"}""").ShouldBe(201);
        agent.Text("stable_preamble").ShouldBe("snake");
        agent.GetProperty("max_tool_calls").GetInt32().ShouldBe(4);
        agent.Text("runtime_provider").ShouldBe("tensorlake");
        (await Create("""{"name":"Ada","runtimeProvider":"tensorlake","runtime_provider":"modal"}""").ShouldBe(201)).Text("runtime_provider").ShouldBe("tensorlake");
    }

    public static TheoryData<string, int, string, string?> Faults => new()
    {
        { """{}""", 422, "VALIDATION_ERROR", "name" },
        { """{"name":null}""", 422, "VALIDATION_ERROR", "name" },
        { """{"name":"  "}""", 422, "VALIDATION_ERROR", "name" },
        { """{"name":"LONG201"}""", 422, "VALIDATION_ERROR", "name" },
        { """{"name":1}""", 400, "INVALID_REQUEST", null },
        { """{"name":"a","description":"LONG2001"}""", 422, "VALIDATION_ERROR", "description" },
        { """{"name":"a","stablePreamble":"LONG200001"}""", 422, "VALIDATION_ERROR", "stablePreamble" },
        { """{"name":"a","defaultModel":"no-such-model"}""", 422, "VALIDATION_ERROR", "defaultModel" },
        { """{"name":"a","temperature":1.01}""", 422, "VALIDATION_ERROR", "temperature" },
        { """{"name":"a","temperature":-0.1}""", 422, "VALIDATION_ERROR", "temperature" },
        { """{"name":"a","temperature":"0.5"}""", 400, "INVALID_REQUEST", null },
        { """{"name":"a","runtimeProvider":"fly"}""", 422, "VALIDATION_ERROR", "runtimeProvider" },
        { """{"name":"a","maxToolCalls":0}""", 422, "VALIDATION_ERROR", "maxToolCalls" },
        { """{"name":"a","maxToolCalls":101}""", 422, "VALIDATION_ERROR", "maxToolCalls" },
        { """{"name":"a","maxToolCalls":1.5}""", 400, "INVALID_REQUEST", null },
        { """{"name":"a","maxOutputTokens":0}""", 422, "VALIDATION_ERROR", "maxOutputTokens" },
        { """{"name":"a","defaultModel":"flapjack-offline","maxOutputTokens":16001}""", 422, "VALIDATION_ERROR", "maxOutputTokens" },
        { """{"name":"a","metadata":[]}""", 400, "INVALID_REQUEST", null },
        { """{"name":"a","metadata":{"x":"LONG17000"}}""", 422, "VALIDATION_ERROR", "metadata" },
        { """{"name":"a","scheduledTasksEnabled":"yes"}""", 400, "INVALID_REQUEST", null },
        { """{"name":"a","projectId":"x"}""", 422, "VALIDATION_ERROR", "projectId" },
        { """{"name":"a","projectId":"019d0000-0000-7000-8000-000000000000"}""", 404, "NOT_FOUND", null },
        { """{"name":"a","orgId":"019d0000-0000-7000-8000-000000000000"}""", 404, "NOT_FOUND", null },
        { """{"name":"a","orgId":"x"}""", 422, "VALIDATION_ERROR", "orgId" },
        { """[]""", 400, "INVALID_REQUEST", null },
        { """null""", 400, "INVALID_REQUEST", null },
        { """{"name":""", 400, "INVALID_JSON", null },
        { """{"name":"a","toolProfiles":[]}""", 400, "INVALID_REQUEST", null },
        { """{"name":"a","toolProfiles":{"a b":{"tools":[]}}}""", 422, "VALIDATION_ERROR", "toolProfiles.a b" },
        { """{"name":"a","toolProfiles":{"a":{}}}""", 422, "VALIDATION_ERROR", "toolProfiles.a.tools" },
        { """{"name":"a","toolProfiles":{"a":{"tools":"*"}}}""", 400, "INVALID_REQUEST", null },
        { """{"name":"a","toolProfiles":{"a":{"tools":[1]}}}""", 422, "VALIDATION_ERROR", "toolProfiles.a.tools" },
        { """{"name":"a","toolProfiles":{"a":{"tools":[],"switchable":"no"}}}""", 400, "INVALID_REQUEST", null },
        { """{"name":"a","toolProfiles":{"a":{"tools":[],"systemPromptOverlay":"LONG50001"}}}""", 422, "VALIDATION_ERROR", "toolProfiles.a.systemPromptOverlay" },
        { """{"name":"a","toolProfiles":{"a":{"tools":[]}},"defaultProfile":"b"}""", 422, "VALIDATION_ERROR", "defaultProfile" },
        { """{"name":"a","defaultProfile":"b"}""", 422, "VALIDATION_ERROR", "defaultProfile" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Faults_are_refused_on_creation(string body, int status, string code, string? field) => await Create(Grown(body)).ShouldBeError(status, code, field);

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Faults_are_refused_on_change_and_change_nothing(string body, int status, string code, string? field)
    {
        if (body == "{}" || body.Contains("orgId", StringComparison.Ordinal)) return;
        var before = await Create("""{"name":"same"}""").ShouldBe(201);
        await Patch(before, Grown(body)).ShouldBeError(status, code, field);
        (await Get(before)).ToString().ShouldBe(before.ToString());
    }

    [Fact]
    public async Task At_most_32_profiles()
    {
        string Many(int count) => "{" + string.Join(',', Enumerable.Range(0, count).Select(i => $"\"p{i}\":{{\"tools\":[]}}")) + "}";
        await Create($$$"""{"name":"a","toolProfiles":{{{Many(32)}}}}""").ShouldBe(201);
        await Create($$$"""{"name":"a","toolProfiles":{{{Many(33)}}}}""").ShouldBeError(422, "VALIDATION_ERROR", "toolProfiles");
    }

    [Theory]
    [InlineData("name", 200)]
    [InlineData("description", 2000)]
    [InlineData("stablePreamble", 200000)]
    public async Task Texts_may_be_as_long_as_their_limit(string field, int length) => await Create($$"""{"name":"a","{{field}}":"{{new string('x', length)}}"}""").ShouldBe(201);

    [Fact]
    public async Task Null_clears_what_may_be_empty_and_restores_the_default_of_the_rest()
    {
        var agent = await Create($$$"""{"name":"Ada","description":"d","stablePreamble":"p","defaultModel":"flapjack-offline","temperature":1,"toolProfiles":{{{Profiles}}},"defaultProfile":"full","runtimeProvider":"modal","scheduledTasksEnabled":true,"maxToolCalls":3,"maxOutputTokens":9,"metadata":{"a":1}}""").ShouldBe(201);
        var changed = await Patch(agent, """{"description":null,"stablePreamble":null,"defaultModel":null,"temperature":null,"toolProfiles":null,"runtimeProvider":null,"scheduledTasksEnabled":null,"maxToolCalls":null,"maxOutputTokens":null,"metadata":null}""").ShouldBe(200);
        foreach (var name in (string[])["description", "stable_preamble", "temperature", "tool_profiles", "default_profile", "runtime_provider", "max_output_tokens"]) changed.GetProperty(name).ValueKind.ShouldBe(JsonValueKind.Null, name);
        changed.Text("default_model").ShouldBe("gpt-5.4");
        changed.GetProperty("max_tool_calls").GetInt32().ShouldBe(10);
        changed.GetProperty("metadata").GetRawText().ShouldBe("{}");
        changed.GetProperty("scheduled_tasks_enabled").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task What_is_not_sent_stays_and_the_time_of_change_moves()
    {
        await using var own = await ServerFixture.StartAsync();
        var id = await own.CreateAgentAsync("Ada", new { description = "d", temperature = 0.2 });
        var before = await own.Client.GetAsync($"/api/agents/{id}", Token).ShouldBe(200);
        own.Time.Advance(TimeSpan.FromSeconds(5));
        var after = await own.Client.PatchAsync($"/api/agents/{id}", JsonText.Content("""{"name":"Grace","orgId":"019d0000-0000-7000-8000-000000000000"}"""), Token).ShouldBe(200);
        after.Text("name").ShouldBe("Grace");
        after.Text("description").ShouldBe("d");
        after.GetProperty("temperature").GetDouble().ShouldBe(0.2);
        after.Text("created_at").ShouldBe(before.Text("created_at"));
        after.Text("updated_at").ShouldBe("2026-04-01T12:00:05Z");
    }

    [Fact]
    public async Task Clearing_the_profiles_clears_the_threads_use_of_them()
    {
        var agent = await Create($$$"""{"name":"Ada","toolProfiles":{{{Profiles}}},"defaultProfile":"full"}""").ShouldBe(201);
        var thread = await server.CreateThreadAsync(agent.GetProperty("id").GetGuid(), new { activeProfile = "triage" });
        await Patch(agent, """{"toolProfiles":null}""").ShouldBe(200);
        (await server.Client.GetAsync($"/api/threads/{thread}", Token).ShouldBe(200)).GetProperty("active_profile").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Lists_are_newest_first_without_prompts_and_searchable()
    {
        await using var own = await ServerFixture.StartAsync();
        foreach (var (name, description) in ((string, string?)[])[("Alpha", null), ("Beta", "about ALPHA things"), ("Gamma 100%", null)])
        {
            await own.CreateAgentAsync(name, new { description, stablePreamble = "secret" });
            own.Time.Advance(TimeSpan.FromSeconds(1));
        }
        async Task<(string[] Names, string? Total)> List(string query)
        {
            using var response = await own.Client.GetAsync("/api/agents" + query, Token);
            var body = await response.ShouldBeAsync(200);
            foreach (var agent in body.EnumerateArray()) agent.TryGetProperty("stable_preamble", out _).ShouldBeFalse();
            return ([.. body.EnumerateArray().Select(a => a.Text("name"))], response.Header("X-Total-Count"));
        }
        var all = await List("");
        all.Names[..3].ShouldBe(["Gamma 100%", "Beta", "Alpha"]);
        var total = all.Names.Length;
        all.Total.ShouldBe($"{total}");
        var page = await List("?limit=1&offset=1");
        page.Names.ShouldBe(["Beta"]);
        page.Total.ShouldBe($"{total}");
        (await List("?q=alpha")).ShouldSatisfyAllConditions(found => found.Names.ShouldBe(["Beta", "Alpha"]), found => found.Total.ShouldBe("2"));
        (await List("?q=0%25")).Names.ShouldBe(["Gamma 100%"]);
        (await List("?q=_")).Names.ShouldBeEmpty();
        (await List("?limit=5000")).Names.Length.ShouldBe(total);
        (await List("?projectId=019d0000-0000-7000-8000-000000000000")).Names.ShouldBeEmpty();
        await own.Client.GetAsync("/api/agents?limit=0", Token).ShouldBeError(422, "VALIDATION_ERROR", "limit");
        await own.Client.GetAsync("/api/agents?limit=x", Token).ShouldBeError(400, "INVALID_REQUEST");
        await own.Client.GetAsync("/api/agents?offset=-1", Token).ShouldBeError(422, "VALIDATION_ERROR", "offset");
        await own.Client.GetAsync("/api/agents?orgId=019d0000-0000-7000-8000-000000000000", Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task A_deleted_agent_leaves_archived_threads_that_can_be_read_only()
    {
        var agent = await server.CreateAgentAsync("Gone", new { defaultModel = "flapjack-offline" });
        var thread = await server.CreateThreadAsync(agent);
        await server.AskAsync(thread, "/echo hello");
        (await server.Client.DeleteAsync($"/api/agents/{agent}", Token).ShouldBe(200)).ToString().ShouldBe("""{"ok":true}""");
        await server.Client.GetAsync($"/api/agents/{agent}", Token).ShouldBeError(404, "NOT_FOUND");
        await server.Client.DeleteAsync($"/api/agents/{agent}", Token).ShouldBeError(404, "NOT_FOUND");
        await server.Client.PatchAsync($"/api/agents/{agent}", JsonText.Content("{}"), Token).ShouldBeError(404, "NOT_FOUND");
        (await server.Client.GetAsync($"/api/threads/{thread}", Token).ShouldBe(200)).Text("status").ShouldBe("archived");
        (await server.Client.GetAsync($"/api/threads/{thread}/messages", Token).ShouldBe(200)).GetProperty("total").GetInt32().ShouldBe(2);
        (await server.Client.GetAsync($"/api/threads?agentId={agent}&status=archived", Token).ShouldBe(200)).GetProperty("threads").GetArrayLength().ShouldBe(1);
        (await server.Client.PostAsync($"/api/threads/{thread}/messages", JsonText.Content("""{"content":"hi"}"""), Token).ShouldBeError(404, "NOT_FOUND")).Text("detail").ShouldBe("Agent not found");
        (await server.Client.PostAsync("/api/threads", JsonText.Content($$"""{"agentId":"{{agent}}"}"""), Token).ShouldBeError(404, "NOT_FOUND")).Text("detail").ShouldBe("Agent not found");
        (await server.Client.GetAsync("/api/agents", Token).ShouldBe(200)).EnumerateArray().ShouldNotContain(a => a.GetProperty("id").GetGuid() == agent);
    }

    private static string Grown(string body)
    {
        var at = body.IndexOf("LONG", StringComparison.Ordinal);
        if (at < 0) return body;
        var digits = new string([.. body[(at + 4)..].TakeWhile(char.IsAsciiDigit)]);
        return body.Replace("LONG" + digits, new string('x', int.Parse(digits, System.Globalization.CultureInfo.InvariantCulture)), StringComparison.Ordinal);
    }

    private Task<HttpResponseMessage> Create(string body) => server.Client.PostAsync("/api/agents", JsonText.Content(body), Token);

    private Task<HttpResponseMessage> Patch(JsonElement agent, string body) => server.Client.PatchAsync($"/api/agents/{agent.Text("id")}", JsonText.Content(body), Token);

    private Task<JsonElement> Get(JsonElement agent) => server.Client.GetAsync($"/api/agents/{agent.Text("id")}", Token).ShouldBe(200);
}
