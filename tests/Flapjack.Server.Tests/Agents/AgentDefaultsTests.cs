using System.Net.Http.Json;

namespace Flapjack.Server.Tests.Agents;

public sealed class AgentDefaultsTests
{
    [Fact]
    public async Task New_agents_and_cleared_limits_get_the_operators_tool_call_limit()
    {
        await using var server = await ServerFixture.StartAsync(settings => settings["Turns:MaxToolCalls"] = "3");
        var token = TestContext.Current.CancellationToken;
        var agent = await server.Client.PostAsJsonAsync("/api/agents", new { name = "a" }, token).ShouldBe(201);
        agent.GetProperty("max_tool_calls").GetInt32().ShouldBe(3);
        var path = "/api/agents/" + agent.GetProperty("id").GetString();
        (await server.Client.PatchAsJsonAsync(path, new { maxToolCalls = 7 }, token).ShouldBe(200)).GetProperty("max_tool_calls").GetInt32().ShouldBe(7);
        (await server.Client.PatchAsJsonAsync(path, new { maxToolCalls = (int?)null }, token).ShouldBe(200)).GetProperty("max_tool_calls").GetInt32().ShouldBe(3);
    }
}
