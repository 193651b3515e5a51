using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Flapjack.Server.Tests.Tools;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Agents.Suggestions;

public sealed class ReviewSecretsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_reviewing_model_sees_no_secret_and_is_called_with_the_users_own_key()
    {
        await using var world = await ToolWorld.StartAsync();
        var client = world.Server.Client;
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.OpenAI, metadata = new { note = "SECRET-metadata" } });
        world.Receiver.Says("/keys", """{"apiKey":"SECRET-own-key","source":"byok"}""");
        await PutAsync("credentials", new { enabled = true, resolverUrl = world.Receiver.UrlOf("/keys"), secret = "SECRET-of-the-resolver" });
        await PutAsync("delegated", new { enabled = true, endpointUrl = world.Receiver.UrlOf("/SECRET-endpoint"), secret = "SECRET-of-delegation" });
        await PutAsync("web", new { enabled = true, maxPages = 3 });
        await world.CreateAsync("look_up", new { description = "Looks things up", headers = new { Authorization = "SECRET-header" }, secret = "SECRET-of-the-signature" }, agent);
        var mcp = (await world.World.PostAsync("/api/mcps", new { name = "Issue tracker", transport = "streamable_http", url = "http://127.0.0.1:9/SECRET-path", headers = new { Authorization = "SECRET-mcp" } }).ShouldBe(201)).Text("id");
        await world.World.PostAsync($"/api/agents/{agent}/mcps", new { mcpServerId = mcp }).ShouldBe(201);
        world.World.Upstream.OtherwiseReply(Script.Text("""{"suggestions":[]}"""));
        await client.SuggestAsync(agent, new { }).ShouldBe(201);

        var asked = world.World.Upstream.LastRequest;
        var prompt = asked.Body.GetRawText();
        foreach (var part in new[] { "tool look_up: Looks things up", "mcp_server Issue tracker", "max_pages" }) prompt.ShouldContain(part);
        foreach (var hidden in new[] { "SECRET", world.Receiver.UrlOf("/keys"), "127.0.0.1" }) prompt.ShouldNotContain(hidden);
        asked.Headers["Authorization"].ShouldBe("Bearer SECRET-own-key");
        var trace = (await world.World.GetAsync($"/api/logs?agent_id={agent}")).GetProperty("traces")[0].Text("id");
        var call = (await world.World.GetAsync($"/api/logs/{trace}")).GetProperty("spans").EnumerateArray().Single(s => s.Text("kind") == "llm");
        (call.Text("credential_source"), call.GetRawText().Contains("SECRET", StringComparison.Ordinal)).ShouldBe(("byok", false));
        world.Server.Log.Lines.ShouldNotContain(line => line.Contains("SECRET-own-key", StringComparison.Ordinal));

        async Task PutAsync(string config, object fields) => await client.PutAsync($"/api/agents/{agent}/{config}", JsonText.Content(JsonSerializer.Serialize(fields)), Token).ShouldBe(200);
    }
}
