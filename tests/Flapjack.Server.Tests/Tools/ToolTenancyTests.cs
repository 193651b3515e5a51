using Flapjack.Server.Tests.Accounts;

namespace Flapjack.Server.Tests.Tools;

/// <summary>Another organisation's tools and agents answer exactly as ones that do not exist.</summary>
public sealed class ToolTenancyTests(ToolWorld world) : IClassFixture<ToolWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_foreign_id_answers_like_an_unknown_one_on_every_route()
    {
        var server = world.Server;
        var agent = await server.CreateAgentAsync();
        var tool = (await world.CreateAsync(world.NewName("theirs"), agent: agent)).Text("id");
        using var key = server.ClientFor((await server.AddKeyAsync(await server.AddOrgAsync($"o-{Guid.NewGuid():N}"))).Text);
        var mine = (await key.PostAsync("/api/agents", JsonText.Content("""{"name":"Mine"}"""), Token).ShouldBe(201)).Text("id");
        (HttpMethod Method, string Path, string? Body)[] routes =
        [
            (HttpMethod.Get, "/api/tools/TOOL", null),
            (HttpMethod.Patch, "/api/tools/TOOL", """{"enabled":false}"""),
            (HttpMethod.Delete, "/api/tools/TOOL", null),
            (HttpMethod.Post, "/api/tools/TOOL/test", "{}"),
            (HttpMethod.Post, "/api/tools", """{"name":"own","description":"x","url":"https://example.com/","agentId":"AGENT"}"""),
            (HttpMethod.Get, "/api/agents/AGENT/tools", null),
            (HttpMethod.Post, "/api/agents/AGENT/tools", """{"toolId":"TOOL"}"""),
            (HttpMethod.Post, $"/api/agents/{mine}/tools", """{"toolId":"TOOL"}"""),
            (HttpMethod.Delete, "/api/agents/AGENT/tools", """{"toolId":"TOOL"}"""),
            (HttpMethod.Delete, $"/api/agents/{mine}/tools?toolId=TOOL", null),
            (HttpMethod.Get, "/api/agents/AGENT/credentials", null),
            (HttpMethod.Put, "/api/agents/AGENT/credentials", """{"timeoutMs":100}"""),
        ];
        foreach (var (method, path, body) in routes)
        {
            var foreign = await key.BodyAsync(method, In(path, agent.ToString(), tool), body is null ? null : In(body, agent.ToString(), tool));
            var unknown = Guid.CreateVersion7().ToString();
            foreign.ShouldBe(await key.BodyAsync(method, In(path, unknown, unknown), body is null ? null : In(body, unknown, unknown)), $"{method} {path}");
            foreign.ShouldStartWith("404 ", Case.Sensitive, $"{method} {path}");
        }
        (await key.GetAsync("/api/tools", Token).ShouldBe(200)).GetArrayLength().ShouldBe(0);
        (await key.GetAsync($"/api/tools?agentId={agent}", Token).ShouldBe(200)).GetArrayLength().ShouldBe(0);
        (await server.Client.GetAsync($"/api/agents/{agent}/tools", Token).ShouldBe(200)).GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Scopes_and_the_demo_key_are_held_to()
    {
        var agent = await world.Server.CreateAgentAsync();
        var tool = (await world.CreateAsync(world.NewName(), agent: agent)).Text("id");
        var org = await world.Server.FirstOrgAsync();
        using var agents = world.Server.ClientFor((await world.Server.AddKeyAsync(org, "agents:write")).Text);
        using var tools = world.Server.ClientFor((await world.Server.AddKeyAsync(org, "tools:read")).Text);
        await agents.GetAsync("/api/tools", Token).ShouldBeError(403, "FORBIDDEN");
        await agents.GetAsync($"/api/agents/{agent}/tools", Token).ShouldBe(200);
        await tools.GetAsync($"/api/tools/{tool}", Token).ShouldBe(200);
        await tools.DeleteAsync($"/api/tools/{tool}", Token).ShouldBeError(403, "FORBIDDEN");
        await tools.PostAsync($"/api/tools/{tool}/test", JsonText.Content("{}"), Token).ShouldBeError(403, "FORBIDDEN");
        await tools.GetAsync($"/api/agents/{agent}/tools", Token).ShouldBeError(403, "FORBIDDEN");
        using var demo = world.Server.ClientFor("fj_demo_example_key");
        (await demo.GetAsync("/api/tools", Token).ShouldBe(200)).GetRawText().ShouldBe("[]");
        await demo.GetAsync($"/api/tools/{tool}", Token).ShouldBeError(404, "NOT_FOUND");
        (await demo.GetAsync("/api/agents/00000000-0000-0000-0000-0000000a6e47/tools", Token).ShouldBe(200)).GetRawText().ShouldBe("[]");
        await demo.PostAsync("/api/tools", JsonText.Content("{}"), Token).ShouldBeError(403, "DEMO_KEY_READ_ONLY");
    }

    private static string In(string text, string agent, string tool) => text.Replace("AGENT", agent, StringComparison.Ordinal).Replace("TOOL", tool, StringComparison.Ordinal);
}
