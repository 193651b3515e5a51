using Flapjack.Server.Integrations;
using Flapjack.Server.Platform;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Knowledge;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.Agents.Marketplace;

/// <summary>The seven checks, each by what is really there.</summary>
public sealed class ReadinessTests
{
    private static readonly string[] Checks = ["has_preamble", "has_description", "has_avatar", "has_capabilities", "has_tools_or_knowledge", "published", "has_traffic"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task<TurnWorld> StartAsync() => TurnWorld.StartAsync(settings => settings["Network:AllowedHosts:0"] = "loopback");

    [Fact]
    public async Task Each_check_adds_its_weight()
    {
        await using var world = await StartAsync();
        var client = world.Server.Client;
        var agent = await world.Server.CreateAgentAsync("Ready", new { defaultModel = "flapjack-offline" });
        var bare = await client.SaveProfileAsync(agent, new { }).ShouldBe(200);
        bare.GetProperty("readiness").EnumerateArray().Select(c => (c.Text("check"), c.GetProperty("weight").GetInt32())).ShouldBe(Checks.Zip([20, 15, 10, 15, 15, 15, 10]));
        bare.GetProperty("readiness")[0].EnumerateObject().Select(p => p.Name).ShouldBe(["check", "ok", "weight"]);
        (bare.GetProperty("readiness_score").GetInt32(), bare.Passed().Count()).ShouldBe((0, 0));

        await world.PatchAsync($"/api/agents/{agent}", new { stablePreamble = "You help." }).ShouldBe(200);
        await ShouldPass(20, "has_preamble");
        await client.SaveProfileAsync(agent, new { description = "Helps" }).ShouldBe(200);
        await ShouldPass(35, "has_description");
        await client.SendAvatarAsync(agent, Pictures.Png()).ShouldBe(200);
        await ShouldPass(45, "has_avatar");
        await client.SaveProfileAsync(agent, new { capabilities = new[] { "Help" } }).ShouldBe(200);
        await ShouldPass(60, "has_capabilities");
        await world.PostAsync($"/api/agents/{agent}/publish", new { slug = "ready-agent" }).ShouldBe(201);
        await ShouldPass(75, "published");
        await world.PostAsync("/api/tools", new { name = "look", description = "Looks", url = "http://127.0.0.1:9/look", agentId = agent }).ShouldBe(201);
        await ShouldPass(90, "has_tools_or_knowledge");
        await AskAsync(world, agent);
        await ShouldPass(100, "has_traffic");

        // What is gone does not count any more, and nothing counts for ever.
        await client.DeleteAsync($"/api/agents/{agent}/publish", Token).ShouldBe(200);
        world.Server.Time.Advance(TimeSpan.FromDays(30) + TimeSpan.FromMinutes(1));
        var later = await client.ProfileAsync(agent).ShouldBe(200);
        (later.GetProperty("readiness_score").GetInt32(), later.Passed().Except(Checks[..5]).Count()).ShouldBe((75, 0));

        async Task ShouldPass(int score, string check)
        {
            var profile = await client.ProfileAsync(agent).ShouldBe(200);
            profile.GetProperty("readiness_score").GetInt32().ShouldBe(score);
            profile.Passed().ShouldContain(check);
        }
    }

    [Fact]
    public async Task Tools_servers_databases_and_documents_count_each()
    {
        await using var world = await StartAsync();
        var mcp = (await world.PostAsync("/api/mcps", new { name = "Away", transport = "streamable_http", url = "http://127.0.0.1:9/mcp" }).ShouldBe(201)).Text("id");
        await EquippedBy(async agent => await world.PostAsync($"/api/agents/{agent}/mcps", new { mcpServerId = mcp }).ShouldBe(201));
        await EquippedBy(async agent => await world.PostAsync("/api/tools", new { name = "look", description = "Looks", url = "http://127.0.0.1:9/look", agentId = agent }).ShouldBe(201));
        await EquippedBy(async agent =>
        {
            var document = await world.Server.Client.AddDocumentAsync("agent", agent, "# Policy\n\nRefunds take a week.");
            await world.Server.Client.DocumentWhenAsync(document.Text("id"), d => d.Text("status") == "ready");
        });
        await EquippedBy(async agent => await GiveDatabaseAsync(world.Server, agent));

        async Task EquippedBy(Func<Guid, Task> give)
        {
            var agent = await world.Server.CreateAgentAsync();
            (await world.Server.Client.SaveProfileAsync(agent, new { }).ShouldBe(200)).Passed().ShouldNotContain("has_tools_or_knowledge");
            await give(agent);
            (await world.Server.Client.ProfileAsync(agent).ShouldBe(200)).Passed().ShouldBe(["has_tools_or_knowledge"]);
        }
    }

    [Fact]
    public async Task What_others_have_does_not_count()
    {
        await using var world = await StartAsync();
        var (busy, idle) = (await world.Server.CreateAgentAsync("Busy", new { defaultModel = "flapjack-offline" }), await world.Server.CreateAgentAsync("Idle"));
        await world.PostAsync("/api/tools", new { name = "look", description = "Looks", url = "http://127.0.0.1:9/look", agentId = busy }).ShouldBe(201);
        await world.PostAsync($"/api/agents/{busy}/publish", new { slug = "busy-one" }).ShouldBe(201);
        await AskAsync(world, busy);
        // A thread without a turn is no traffic.
        await world.Server.CreateThreadAsync(idle);
        (await world.Server.Client.SaveProfileAsync(idle, new { }).ShouldBe(200)).Passed().ShouldBeEmpty();
    }

    [Fact]
    public async Task Below_sixty_nothing_is_listed_and_nothing_saved()
    {
        await using var world = await StartAsync();
        var client = world.Server.Client;
        var agent = await world.Server.CreateAgentAsync("Listed", new { stablePreamble = "You help.", description = "Helps" });
        await client.SaveProfileAsync(agent, new { visibility = "listed" }).ShouldBeError(409, "CONFLICT");
        await client.ProfileAsync(agent).ShouldBeError(404, "NOT_FOUND");
        await client.SaveProfileAsync(agent, new { capabilities = new[] { "Help" } }).ShouldBe(200);
        var refused = await client.SaveProfileAsync(agent, new { visibility = "listed", tagline = "Now!" }).ShouldBeError(409, "CONFLICT");
        refused.Text("detail").ShouldBe("the readiness_score is 50 and listing needs 60; missing: has_avatar, has_tools_or_knowledge, published, has_traffic");
        (await client.ProfileAsync(agent).ShouldBe(200)).Text("tagline").ShouldBe("Helps");

        await client.SendAvatarAsync(agent, Pictures.Png()).ShouldBe(200);
        var listed = await client.SaveProfileAsync(agent, new { visibility = "listed" }).ShouldBe(200);
        (listed.Text("visibility"), listed.GetProperty("readiness_score").GetInt32()).ShouldBe(("listed", 60));
        // What is listed stays so until somebody says otherwise.
        (await client.SaveProfileAsync(agent, new { visibility = "listed", capabilities = Array.Empty<string>() }).ShouldBe(200)).GetProperty("readiness_score").GetInt32().ShouldBe(45);
        await client.SaveProfileAsync(agent, new { visibility = "draft" }).ShouldBe(200);
        await client.SaveProfileAsync(agent, new { visibility = "listed" }).ShouldBeError(409, "CONFLICT");
    }

    private static async Task AskAsync(TurnWorld world, Guid agent) => await world.Server.AskAsync(await world.Server.CreateThreadAsync(agent), "Hello");

    // A database that could be reached would need one.
    private static async Task GiveDatabaseAsync(ServerFixture server, Guid agent)
    {
        await using var db = server.Database();
        var (org, now) = (await server.OrgIdAsync(), server.Time.Now());
        var database = new Integration { Id = Ids.New(), OrgId = org, Name = "Shop", Kind = "postgres", Connection = "", Host = "db", Database = "shop", Schemas = "[]", CreatedAt = now, UpdatedAt = now };
        db.Integrations.Add(database);
        db.AgentIntegrations.Add(new() { Id = Ids.New(), OrgId = org, AgentId = agent, IntegrationId = database.Id, CreatedAt = now });
        await db.SaveChangesAsync(Token);
    }
}
