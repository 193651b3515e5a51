using Flapjack.Runtime.Tools;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Delegation;
using Flapjack.Server.Integrations.Tools;
using Flapjack.Server.Mcp.Tools;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Threads.Turns;
using Flapjack.Server.Tools;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Tools;

/// <summary>Names that no tool of an organisation may take.</summary>
public sealed class BuiltInToolTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_are_those_of_all_tools_the_server_brings()
    {
        var agent = await server.CreateAgentAsync();
        var thread = await server.CreateThreadAsync(agent);
        foreach (var config in (string[])["web", "memory", "plan", "knowledge", "scheduled-tasks"])
        {
            await server.Client.PutAsync($"/api/agents/{agent}/{config}", JsonText.Content(config == "knowledge" ? """{"enabled":true,"searchTool":true}""" : """{"enabled":true}"""), Token).ShouldBe(200);
        }
        await server.Client.PostAsync($"/api/agents/{agent}/channels", JsonText.Content("""{"kind":"webhook","config":{"outboundUrl":"https://93.184.216.34/x"},"credentials":{"secret":"sixteen characters"}}"""), Token).ShouldBe(201);
        await using var db = server.Database();
        var row = await db.Agents.IgnoreQueryFilters().SingleAsync(a => a.Id == agent, Token);
        await using var scope = server.Services.CreateAsyncScope();
        foreach (var source in scope.ServiceProvider.GetServices<IToolSource>())
        {
            // Their names are those of customers.
            if (source is AttachedTools or DatabaseTools or McpToolSource or DelegatedTools) continue;
            var names = (await source.ListAsync(new(row.OrgId, agent, row.Equipment) { ThreadId = thread, Model = row.DefaultModel, Source = TurnDoors.Schedule }, Token)).Select(tool => tool.Name).ToList();
            names.ShouldNotBeEmpty($"{source.GetType().Name}: switch its tools on above");
            names.Where(name => !BuiltInTools.Contains(name)).ShouldBeEmpty("add them to BuiltInTools");
        }
        BuiltInTools.Contains(ProposeProfileSwitch.Name).ShouldBeTrue();
    }
}
