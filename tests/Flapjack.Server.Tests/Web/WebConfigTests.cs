using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.Web;

/// <summary><c>/api/agents/{agentId}/web</c> and which tools it gives.</summary>
public sealed class WebConfigTests(WebWorld world) : IClassFixture<WebWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_never_saved_shows_its_defaults()
    {
        var agent = await world.Server.CreateAgentAsync();
        (await world.Server.Client.GetAsync($"/api/agents/{agent}/web", Token).ShouldBe(200)).GetRawText().ShouldBe(
            """{"enabled":false,"search_enabled":true,"research_enabled":true,"read_enabled":true,"crawl_enabled":true,"search_provider":"auto","read_provider":"auto","allowed_domains":[],"blocked_domains":[],"max_results":5,"max_pages":10,"max_read_chars":20000,"updated_at":null}""");
        using var demo = world.Server.ClientFor("fj_demo_example_key");
        (await demo.GetAsync("/api/agents/00000000-0000-0000-0000-0000000a6e47/web", Token).ShouldBe(200)).Text("search_provider").ShouldBe("auto");
    }

    [Fact]
    public async Task A_change_keeps_what_it_does_not_name()
    {
        var agent = await world.Server.CreateAgentAsync();
        await PutAsync(agent, """{"enabled":true,"allowedDomains":["*.Example.com","bücher.example","10.0.0.1"],"maxResults":20,"searchProvider":"brave"}""").ShouldBe(200);
        var second = await PutAsync(agent, """{"crawl_enabled":false,"maxResults":null}""").ShouldBe(200);
        second.GetRawText().ShouldStartWith(
            """{"enabled":true,"search_enabled":true,"research_enabled":true,"read_enabled":true,"crawl_enabled":false,"search_provider":"brave","read_provider":"auto","allowed_domains":["example.com","xn--bcher-kva.example","10.0.0.1"],"blocked_domains":[],"max_results":5,""");
    }

    [Theory]
    [InlineData("""{"searchProvider":"google"}""", 422, "searchProvider")]
    [InlineData("""{"readProvider":"brave"}""", 422, "readProvider")]
    [InlineData("""{"maxResults":21}""", 422, "maxResults")]
    [InlineData("""{"max_pages":0}""", 422, "maxPages")]
    [InlineData("""{"maxReadChars":999}""", 422, "maxReadChars")]
    [InlineData("""{"allowedDomains":["ok.example","http://x.example/"]}""", 422, "allowedDomains[1]")]
    [InlineData("""{"blockedDomains":[""]}""", 422, "blockedDomains[0]")]
    [InlineData("""{"blockedDomains":[null]}""", 400, "blockedDomains[0]")]
    [InlineData("""{"enabled":"yes"}""", 400, "enabled")]
    public async Task Wrong_values_change_nothing(string change, int status, string field)
    {
        var agent = await world.Server.CreateAgentAsync();
        await PutAsync(agent, change).ShouldBeError(status, status == 422 ? "VALIDATION_ERROR" : "INVALID_REQUEST", field);
        (await world.Server.Client.GetAsync($"/api/agents/{agent}/web", Token).ShouldBe(200)).GetProperty("updated_at").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
    }

    [Fact]
    public async Task Another_organisation_sees_and_changes_nothing()
    {
        var agent = await world.Server.CreateAgentAsync();
        using var other = world.Server.ClientFor((await world.Server.AddKeyAsync(await world.Server.AddOrgAsync($"o-{Guid.NewGuid():N}"))).Text);
        await other.GetAsync($"/api/agents/{agent}/web", Token).ShouldBeError(404, "NOT_FOUND");
        await other.PutAsync($"/api/agents/{agent}/web", JsonText.Content("""{"enabled":true}"""), Token).ShouldBeError(404, "NOT_FOUND");
        using var reader = world.Server.ClientFor((await world.Server.AddKeyAsync(await world.Server.FirstOrgAsync(), "agents:read")).Text);
        (await reader.GetAsync($"/api/agents/{agent}/web", Token).ShouldBe(200)).GetProperty("enabled").GetBoolean().ShouldBeFalse();
        await reader.PutAsync($"/api/agents/{agent}/web", JsonText.Content("{}"), Token).ShouldBeError(403, "FORBIDDEN");
    }

    [Fact]
    public async Task Each_switch_is_a_tool_and_a_message_may_turn_them()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.OpenAI });
        var thread = await world.Server.CreateThreadAsync(agent);
        (await OfferedAsync(thread)).ShouldBe([]);
        (await OfferedAsync(thread, """{"enabled":true,"crawlEnabled":false}""")).ShouldBe(["web_search", "web_research", "web_read"]);
        (await OfferedAsync(thread)).ShouldBe([]);
        await PutAsync(agent, """{"enabled":true,"searchEnabled":false}""").ShouldBe(200);
        (await OfferedAsync(thread)).ShouldBe(["web_research", "web_read", "web_crawl"]);
        (await OfferedAsync(thread, """{"enabled":false}""")).ShouldBe([]);
        // What makes no sense in a message does no harm.
        (await OfferedAsync(thread, """{"maxPages":100000,"search_provider":"nobody","allowedDomains":[null,7],"max_read_chars":-1}""")).ShouldBe(["web_research", "web_read", "web_crawl"]);
    }

    [Fact]
    public async Task The_schemas_are_those_of_the_contract()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.OpenAI });
        await PutAsync(agent, """{"enabled":true,"maxResults":7,"maxPages":3,"maxReadChars":5000}""").ShouldBe(200);
        await OfferedAsync(await world.Server.CreateThreadAsync(agent));
        var tools = world.World.Upstream.LastRequest.Body.GetProperty("tools").EnumerateArray().ToDictionary(t => t.Text("name"), t => t.GetProperty("parameters").GetRawText());
        tools["web_search"].ShouldBe("""{"type":"object","additionalProperties":false,"required":["query"],"properties":{"query":{"type":"string"},"max_results":{"type":"integer","minimum":1,"maximum":20,"default":7},"recency":{"type":"string","enum":["day","week","month","year"]},"domains":{"type":"array","items":{"type":"string"}}}}""");
        tools["web_research"].ShouldBe("""{"type":"object","additionalProperties":false,"required":["question"],"properties":{"question":{"type":"string"},"depth":{"type":"string","enum":["quick","standard","deep"]}}}""");
        tools["web_read"].ShouldBe("""{"type":"object","additionalProperties":false,"required":["url"],"properties":{"url":{"type":"string"},"max_chars":{"type":"integer","default":5000}}}""");
        tools["web_crawl"].ShouldBe("""{"type":"object","additionalProperties":false,"required":["url"],"properties":{"url":{"type":"string"},"max_pages":{"type":"integer","default":3},"include":{"type":"array","items":{"type":"string"}},"exclude":{"type":"array","items":{"type":"string"}}}}""");
    }

    private Task<HttpResponseMessage> PutAsync(Guid agent, string change) => world.Server.Client.PutAsync($"/api/agents/{agent}/web", JsonText.Content(change), Token);

    private async Task<IEnumerable<string>> OfferedAsync(Guid thread, string? overrides = null)
    {
        await using var stream = await world.World.SendAsync(thread, overrides is null ? """{"content":"hi"}""" : $$"""{"content":"hi","webOverrides":{{overrides}}}""");
        await stream.EndAsync();
        var body = world.World.Upstream.LastRequest.Body;
        return body.TryGetProperty("tools", out var tools) ? tools.EnumerateArray().Select(t => t.Text("name")).Where(name => name.StartsWith("web_", StringComparison.Ordinal)).ToList() : [];
    }
}
