using System.Net;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Tests.Accounts;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Flapjack.Server.Tests.Tools;

/// <summary><c>/api/tools</c> and <c>/api/agents/{agentId}/tools</c>.</summary>
public sealed class ToolTests(ToolWorld world) : IClassFixture<ToolWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private HttpClient Client => world.Server.Client;

    [Fact]
    public async Task A_new_tool_shows_everything_but_its_secrets()
    {
        var name = world.NewName();
        var tool = await world.CreateAsync(name, new { secret = "sixteen-letters!", headers = new Dictionary<string, string> { ["Authorization"] = "Bearer hush", ["X-Team"] = "blue" }, retries = 2, timeout_ms = 1000 });
        tool.EnumerateObject().Select(p => p.Name).ShouldBe(["id", "org_id", "name", "description", "url", "parameters", "timeout_ms", "header_names", "has_secret", "retries", "idempotent", "enabled", "created_at", "updated_at"]);
        tool.GetProperty("parameters").GetRawText().ShouldBe("""{"type":"object","properties":{}}""");
        tool.GetProperty("header_names").GetRawText().ShouldBe("""["Authorization","X-Team"]""");
        (tool.GetProperty("has_secret").GetBoolean(), tool.GetProperty("timeout_ms").GetInt32(), tool.GetProperty("retries").GetInt32(), tool.GetProperty("idempotent").GetBoolean(), tool.GetProperty("enabled").GetBoolean()).ShouldBe((true, 1000, 2, false, true));
        (await Client.GetAsync($"/api/tools/{tool.Text("id")}", Token).ShouldBe(200)).GetRawText().ShouldBe(tool.GetRawText());
        await using var db = world.Server.Database();
        var stored = await db.Tools.IgnoreQueryFilters().SingleAsync(t => t.Name == name, Token);
        (stored.Headers + stored.Secret).ShouldNotContain("hush");
        stored.Secret!.ShouldNotContain("sixteen");
    }

    [Fact]
    public async Task A_change_keeps_what_it_does_not_name_and_null_restores_a_default()
    {
        var tool = await world.CreateAsync(world.NewName(), new { secret = "sixteen-letters!", headers = new { a = "1" }, retries = 2, idempotent = true, enabled = false, parameters = new { type = "object", required = new[] { "city" } } });
        var path = $"/api/tools/{tool.Text("id")}";
        var renamed = await PatchAsync(path, $$"""{"name":"{{tool.Text("name")}}_b","orgId":"{{Guid.NewGuid()}}"}""").ShouldBe(200);
        renamed.Text("name").ShouldBe(tool.Text("name") + "_b");
        (renamed.GetProperty("has_secret").GetBoolean(), renamed.GetProperty("retries").GetInt32()).ShouldBe((true, 2));
        var cleared = await PatchAsync(path, """{"secret":null,"headers":null,"retries":null,"timeoutMs":null,"idempotent":null,"enabled":null,"parameters":null}""").ShouldBe(200);
        cleared.GetProperty("header_names").GetArrayLength().ShouldBe(0);
        cleared.GetProperty("parameters").GetRawText().ShouldBe("""{"type":"object","properties":{}}""");
        (cleared.GetProperty("has_secret").GetBoolean(), cleared.GetProperty("retries").GetInt32(), cleared.GetProperty("timeout_ms").GetInt32(), cleared.GetProperty("idempotent").GetBoolean(), cleared.GetProperty("enabled").GetBoolean()).ShouldBe((false, 0, 30_000, false, true));
        await Client.DeleteAsync(path, Token).ShouldBe(200);
        await Client.GetAsync(path, Token).ShouldBeError(404, "NOT_FOUND");
        await Client.DeleteAsync(path, Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Theory]
    [InlineData("""{"name":null}""", 422, "name")]
    [InlineData("""{"name":"has space"}""", 422, "name")]
    [InlineData("""{"name":"a__b"}""", 422, "name")]
    [InlineData("""{"name":"web_search"}""", 422, "name")]
    [InlineData("""{"description":""}""", 422, "description")]
    [InlineData("""{"description":null}""", 422, "description")]
    [InlineData("""{"url":"ftp://example.com/"}""", 422, "url")]
    [InlineData("""{"url":"http://169.254.169.254/latest"}""", 422, "url")]
    [InlineData("""{"url":"http://user:pass@example.com/"}""", 422, "url")]
    [InlineData("""{"url":7}""", 400, "url")]
    [InlineData("""{"parameters":{"type":"array"}}""", 422, "parameters.type")]
    [InlineData("""{"parameters":{}}""", 422, "parameters.type")]
    [InlineData("""{"parameters":{"type":"object","properties":{"a":{"type":"strnig"}}}}""", 422, "parameters.properties.a.type")]
    [InlineData("""{"parameters":[]}""", 400, "parameters")]
    [InlineData("""{"timeoutMs":999}""", 422, "timeoutMs")]
    [InlineData("""{"timeout_ms":120001}""", 422, "timeoutMs")]
    [InlineData("""{"retries":4}""", 422, "retries")]
    [InlineData("""{"retries":1.5}""", 400, "retries")]
    [InlineData("""{"secret":"short"}""", 422, "secret")]
    [InlineData("""{"headers":{"x-flapjack-tool":"a"}}""", 422, "headers.x-flapjack-tool")]
    [InlineData("""{"headers":{"host":"a"}}""", 422, "headers.host")]
    [InlineData("""{"headers":{"Content-Type":"a"}}""", 422, "headers.Content-Type")]
    [InlineData("""{"headers":{"A":"1","a":"2"}}""", 422, "headers")]
    [InlineData("""{"headers":{"A":"line\nfeed"}}""", 422, "headers.A")]
    [InlineData("""{"headers":{"A b":"1"}}""", 422, "headers.A b")]
    [InlineData("""{"headers":["a"]}""", 400, "headers")]
    public async Task Wrong_values_change_nothing(string change, int status, string field)
    {
        var tool = await world.CreateAsync(world.NewName());
        await PatchAsync($"/api/tools/{tool.Text("id")}", change).ShouldBeError(status, status == 422 ? "VALIDATION_ERROR" : "INVALID_REQUEST", field);
        (await Client.GetAsync($"/api/tools/{tool.Text("id")}", Token).ShouldBe(200)).GetRawText().ShouldBe(tool.GetRawText());
    }

    [Fact]
    public async Task A_tool_that_is_deleted_while_its_change_is_checked_is_not_found()
    {
        Func<Task>? meanwhile = null;
        await using var server = await ServerFixture.StartAsync(services: services => services.Replace(ServiceDescriptor.Singleton(provider => new EgressGuard(provider.GetRequiredService<ServerSettings>(), async (_, _) =>
        {
            if (meanwhile is not null) await meanwhile();
            return [IPAddress.Parse("8.8.8.8")];
        }))));
        var path = "/api/tools/" + (await server.Client.PostAsync("/api/tools", JsonText.Content("""{"name":"a","description":"x","url":"https://example.com/a"}"""), Token).ShouldBe(201)).Text("id");
        meanwhile = () => server.Client.DeleteAsync(path, Token).ShouldBe(200);
        (await server.Client.PatchAsync(path, JsonText.Content("""{"url":"https://example.com/b"}"""), Token).ShouldBeError(404, "NOT_FOUND")).Text("detail").ShouldBe("Tool not found");
    }

    [Fact]
    public async Task A_name_stands_once_in_an_organisation()
    {
        var name = world.NewName();
        await world.CreateAsync(name);
        var again = $$"""{"name":"{{name}}","description":"x","url":"https://example.com/"}""";
        await Client.PostAsync("/api/tools", JsonText.Content(again), Token).ShouldBeError(409, "CONFLICT");
        var other = await world.CreateAsync(world.NewName());
        await PatchAsync($"/api/tools/{other.Text("id")}", $$"""{"name":"{{name}}"}""").ShouldBeError(409, "CONFLICT");
        using var stranger = world.Server.ClientFor((await world.Server.AddKeyAsync(await world.Server.AddOrgAsync($"o-{Guid.NewGuid():N}"))).Text);
        await stranger.PostAsync("/api/tools", JsonText.Content(again), Token).ShouldBe(201);
        await Client.PostAsync("/api/tools", JsonText.Content("{}"), Token).ShouldBeError(422, "VALIDATION_ERROR", "name");
    }

    [Fact]
    public async Task The_list_is_paged_searched_and_narrowed_to_an_agent()
    {
        var agent = await world.Server.CreateAgentAsync();
        var (first, second) = (world.NewName("findme"), world.NewName("FindMe"));
        await world.CreateAsync(first, agent: agent);
        await world.CreateAsync(second);
        (await Client.GetAsync("/api/tools?q=FINDME", Token).ShouldBe(200)).EnumerateArray().Select(t => t.Text("name")).ShouldBe([second, first]);
        (await Client.GetAsync($"/api/tools?agentId={agent}", Token).ShouldBe(200)).EnumerateArray().Select(t => t.Text("name")).ShouldBe([first]);
        using var page = await Client.GetAsync("/api/tools?q=findme&limit=1&offset=1", Token);
        (await page.ShouldBeAsync(200)).EnumerateArray().Single().Text("name").ShouldBe(first);
        page.Header("X-Total-Count").ShouldBe("2");
    }

    [Fact]
    public async Task Tools_are_attached_once_and_detached_by_body_or_query()
    {
        var agent = await world.Server.CreateAgentAsync();
        var tool = await world.CreateAsync(world.NewName());
        var (path, id) = ($"/api/agents/{agent}/tools", tool.Text("id"));
        var attached = await Client.PostAsync(path, JsonText.Content($$"""{"toolId":"{{id}}"}"""), Token).ShouldBe(201);
        attached.EnumerateObject().Select(p => p.Name).ShouldBe(["id", "agent_id", "tool_id", "created_at", "tool"]);
        (attached.GetProperty("tool").Text("name"), attached.GetProperty("tool").Text("status")).ShouldBe((tool.Text("name"), "active"));
        (await Client.PostAsync(path, JsonText.Content($$"""{"tool_id":"{{id}}"}"""), Token).ShouldBe(200)).GetRawText().ShouldBe(attached.GetRawText());
        (await Client.GetAsync(path, Token).ShouldBe(200)).GetRawText().ShouldBe($"[{attached.GetRawText()}]");
        using (var request = new HttpRequestMessage(HttpMethod.Delete, path) { Content = JsonText.Content($$"""{"toolId":"{{id}}"}""") }) (await Client.SendAsync(request, Token).ShouldBe(200)).GetRawText().ShouldBe("""{"ok":true}""");
        await Client.DeleteAsync($"{path}?toolId={id}", Token).ShouldBeError(404, "NOT_FOUND");
        await Client.PostAsync(path, JsonText.Content($$"""{"toolId":"{{id}}"}"""), Token).ShouldBe(201);
        await Client.DeleteAsync($"{path}?toolId={id}", Token).ShouldBe(200);
        await Client.DeleteAsync(path, Token).ShouldBeError(422, "VALIDATION_ERROR", "toolId");
        await Client.PostAsync(path, JsonText.Content("""{"toolId":"x"}"""), Token).ShouldBeError(422, "VALIDATION_ERROR", "toolId");
        (await Client.PostAsync(path, JsonText.Content($$"""{"toolId":"{{Guid.NewGuid()}}"}"""), Token).ShouldBeError(404, "NOT_FOUND")).Text("detail").ShouldBe("Tool not found");
        await Client.PostAsync("/api/tools", JsonText.Content($$"""{"name":"{{world.NewName()}}","description":"x","url":"https://example.com/","agentId":"{{Guid.NewGuid()}}"}"""), Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Every_change_is_seen_by_the_next_turn()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        var thread = await world.Server.CreateThreadAsync(agent);
        var name = world.NewName();
        world.Receiver.Says("/" + name, """{"result":1}""").Says("/moved", """{"result":2}""");
        var id = (await world.CreateAsync(name)).Text("id");
        async Task<string> SeenAsync() => (await world.ResultAsync(thread, name)).GetProperty("result").GetRawText();
        (await SeenAsync()).ShouldContain("UNKNOWN_TOOL");
        await Client.PostAsync($"/api/agents/{agent}/tools", JsonText.Content($$"""{"toolId":"{{id}}"}"""), Token).ShouldBe(201);
        (await SeenAsync()).ShouldBe("1");
        await PatchAsync($"/api/tools/{id}", $$"""{"url":"{{world.Receiver.UrlOf("/moved")}}"}""").ShouldBe(200);
        (await SeenAsync()).ShouldBe("2");
        await PatchAsync($"/api/tools/{id}", """{"enabled":false}""").ShouldBe(200);
        (await SeenAsync()).ShouldContain("UNKNOWN_TOOL");
        await PatchAsync($"/api/tools/{id}", """{"enabled":true}""").ShouldBe(200);
        (await SeenAsync()).ShouldBe("2");
        await Client.DeleteAsync($"/api/tools/{id}", Token).ShouldBe(200);
        (await SeenAsync()).ShouldContain("UNKNOWN_TOOL");
        (await Client.GetAsync($"/api/agents/{agent}/tools", Token).ShouldBe(200)).GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_deleted_agent_leaves_no_attachment()
    {
        var agent = await world.Server.CreateAgentAsync();
        await world.CreateAsync(world.NewName(), agent: agent);
        await Client.DeleteAsync($"/api/agents/{agent}", Token).ShouldBe(200);
        await using var db = world.Server.Database();
        (await db.AgentTools.IgnoreQueryFilters().CountAsync(a => a.AgentId == agent, Token)).ShouldBe(0);
    }

    [Fact]
    public async Task A_try_is_a_real_call_and_tells_what_a_model_would_get()
    {
        var name = world.NewName();
        world.Receiver.Says("/" + name, """{"result":{"celsius":4},"custom":[{"kind":"map","payload":{"zoom":3}}]}""");
        var tool = await world.CreateAsync(name, new { parameters = new { type = "object", properties = new { city = new { type = "string" } }, required = new[] { "city" } } });
        var path = $"/api/tools/{tool.Text("id")}/test";
        var went = await Client.PostAsync(path, JsonText.Content("""{"arguments":{"city":"Oslo"}}"""), Token).ShouldBe(200);
        went.EnumerateObject().Select(p => p.Name).ShouldBe(["ok", "status", "duration_ms", "result", "error", "detail", "events"]);
        (went.GetProperty("ok").GetBoolean(), went.GetProperty("status").GetInt32(), went.GetProperty("result").GetRawText()).ShouldBe((true, 200, """{"celsius":4}"""));
        went.GetProperty("events").GetRawText().ShouldBe("""[{"event":"custom","data":{"kind":"map","payload":{"zoom":3}}}]""");
        var hit = world.Receiver.At("/" + name).Single();
        (hit.Text, hit["X-Flapjack-Test"], hit["X-Flapjack-Agent-Id"], hit["traceparent"]).ShouldBe(("""{"city":"Oslo"}""", "1", null, null));
        var wrong = await Client.PostAsync(path, JsonText.Content("{}"), Token).ShouldBe(200);
        (wrong.GetProperty("ok").GetBoolean(), wrong.Text("error")).ShouldBe((false, "INVALID_ARGUMENTS"));
        world.Receiver.At("/" + name).Count().ShouldBe(1);
        world.Receiver.Says("/" + name, "no", 500);
        var failed = await Client.PostAsync(path, JsonText.Content("""{"arguments":{"city":"Oslo"}}"""), Token).ShouldBe(200);
        (failed.GetProperty("ok").GetBoolean(), failed.Text("error"), failed.Text("detail"), failed.GetProperty("status").GetInt32()).ShouldBe((false, "TOOL_HTTP_500", "no", 500));
        await Client.PostAsync(path, JsonText.Content("""{"arguments":[]}"""), Token).ShouldBeError(400, "INVALID_REQUEST", "arguments");
        await Client.PostAsync($"/api/tools/{Guid.NewGuid()}/test", JsonText.Content("{}"), Token).ShouldBeError(404, "NOT_FOUND");
    }

    private Task<HttpResponseMessage> PatchAsync(string path, string body) => Client.PatchAsync(path, JsonText.Content(body), Token);
}
