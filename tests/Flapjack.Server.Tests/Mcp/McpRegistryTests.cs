using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tests.Mcp;

/// <summary>Finding servers: the registry, and providers that are connected with a click.</summary>
public sealed class McpRegistryTests
{
    private const string Page = """
        {"servers":[
          {"server":{"name":"io.github.acme/weather","title":"Weather","description":"Forecasts","version":"1.2.0","repository":{"url":"https://github.com/acme/weather","source":"github"},
            "icons":[{"src":"https://acme.example.com/i.png"}],
            "remotes":[{"type":"streamable-http","url":"https://weather.example.com/mcp","headers":[{"name":"Authorization","isRequired":true,"isSecret":true,"description":"API key"}]},{"type":"carrier-pigeon","url":"x"}],
            "packages":[{"registryType":"npm","identifier":"@acme/weather-mcp","version":"1.2.0","transport":{"type":"stdio"},"environmentVariables":[{"name":"KEY","isSecret":true}]}]},
           "_meta":{"io.modelcontextprotocol.registry/official":{"status":"active"}}},
          {"name":"old/style"}, {"server":{"description":"without a name"}}, 7],
         "metadata":{"nextCursor":"abc","count":2}}
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_registry_is_searched_and_remembered_for_an_hour()
    {
        await using var fake = await FakeMcpServer.StartAsync();
        var asked = new List<string>();
        fake.Other = async http =>
        {
            asked.Add(http.Request.Path + http.Request.QueryString.Value);
            if (http.Request.Path.Value != "/base/v0/servers") return false;
            await http.Response.WriteAsync(Page);
            return true;
        };
        await using var world = await McpWorld.StartAsync(settings => settings["Mcp:RegistryUrl"] = fake.Address + "/base/");
        var mine = await world.AddAsync(new { name = "Mine", transport = "streamable_http", url = "https://weather.example.com/mcp" });
        var found = await SearchAsync();
        found.Text("nextCursor").ShouldBe("abc");
        found.GetProperty("servers").GetArrayLength().ShouldBe(2);
        var first = found.GetProperty("servers")[0];
        first.EnumerateObject().Select(p => p.Name).ShouldBe(["name", "title", "description", "version", "repositoryUrl", "websiteUrl", "iconUrl", "remotes", "packages", "installedId"]);
        first.GetProperty("remotes").GetRawText().ShouldBe("""[{"transport":"streamable_http","url":"https://weather.example.com/mcp","headers":[{"name":"Authorization","required":true,"secret":true,"description":"API key"}]}]""");
        first.GetProperty("packages").GetRawText().ShouldBe("""[{"registry":"npm","identifier":"@acme/weather-mcp","version":"1.2.0","command":"npx","args":["-y","@acme/weather-mcp"],"env":[{"name":"KEY","required":false,"secret":true,"description":null}]}]""");
        first.Text("installedId").ShouldBe(mine.Text("id"));
        asked.ShouldBe(["/base/v0.1/servers?limit=5&version=latest&search=rain%20%26%20sun&cursor=c", "/base/v0/servers?limit=5&version=latest&search=rain%20%26%20sun&cursor=c"]);

        await fake.DisposeAsync();
        (await SearchAsync()).ToString().ShouldBe(found.ToString());
        await world.Server.Client.GetAsync("/api/mcp-registry/search?q=else", Token).ShouldBeError(502, "UPSTREAM_ERROR");
        world.Server.Time.Advance(TimeSpan.FromMinutes(61));
        await world.Server.Client.GetAsync("/api/mcp-registry/search?q=rain%20%26%20sun&limit=5&cursor=c", Token).ShouldBeError(502, "UPSTREAM_ERROR");

        Task<System.Text.Json.JsonElement> SearchAsync() => world.Turns.GetAsync("/api/mcp-registry/search?q=rain%20%26%20sun&limit=5&cursor=c");
    }

    [Fact]
    public async Task A_managed_provider_is_connected_with_two_calls()
    {
        await using var fake = await FakeMcpServer.StartAsync();
        var guard = new FakeAuthorisationServer(fake) { Publishes = false };
        await using var world = await McpWorld.StartAsync(settings =>
        {
            settings["Mcp:Providers:github:ClientId"] = "gh";
            settings["Mcp:Providers:acme:Name"] = "Acme";
            settings["Mcp:Providers:acme:Url"] = fake.Url;
            settings["Mcp:Providers:acme:AuthorizeUrl"] = fake.Address + "/authorize";
            settings["Mcp:Providers:acme:TokenUrl"] = fake.Address + "/token";
            settings["Mcp:Providers:acme:ClientId"] = "operators";
            settings["Mcp:Providers:acme:ClientSecret"] = "hush-hush";
            settings["Mcp:Providers:acme:Scopes:0"] = "read";
        });
        var managed = (await world.Turns.GetAsync("/api/mcp-registry/managed")).EnumerateArray().ToList();
        managed.Select(p => p.Text("provider")).ShouldBe(["acme", "atlassian", "github", "linear", "notion", "sentry", "stripe"]);
        managed[0].EnumerateObject().Select(p => p.Name).ShouldBe(["provider", "name", "description", "iconUrl", "transport", "url", "authorizeUrl", "tokenUrl", "scopes", "configured", "installedId"]);
        managed.ShouldAllBe(p => !p.ToString().Contains("hush"));

        var mcp = await world.AddAsync(new { name = "Acme", managedProvider = "acme" });
        (mcp.Text("url"), mcp.Text("transport"), mcp.Text("managedProvider")).ShouldBe((fake.Url, "streamable_http", "acme"));
        var user = await world.Server.LoginOwnerAsync();
        var address = (await world.PostAsync($"/api/mcps/{mcp.Text("id")}/oauth/start", new { }, user).ShouldBe(200)).Text("authorizationUrl");
        address.ShouldContain("client_id=operators");
        address.ShouldContain("scope=read");
        using (var back = await world.Server.Anonymous.GetAsync(guard.Consent(address), Token)) ((int)back.StatusCode).ShouldBe(200);
        guard.TokenRequests.Single()["client_secret"].ShouldBe("hush-hush");
        (await world.ReadAsync(mcp.Text("id"))).Text("status").ShouldBe("active");
        (await world.Turns.GetAsync("/api/mcp-registry/managed"))[0].Text("installedId").ShouldBe(mcp.Text("id"));

        // The operator moves the provider: who only renames a server does not lose its authorisation.
        await world.Server.RestartAsync(settings => settings["Mcp:Providers:acme:Url"] = fake.Address + "/elsewhere");
        foreach (var change in (object[])[new { name = "Renamed" }, new { enabled = true, url = fake.Url }])
        {
            var kept = await world.Turns.PatchAsync($"/api/mcps/{mcp.Text("id")}", change).ShouldBe(200);
            (kept.Text("url"), kept.Text("managedProvider"), kept.GetProperty("hasCredentials").GetBoolean(), kept.Text("status")).ShouldBe((fake.Url, "acme", true, "active"));
        }
    }

    [Fact]
    public async Task What_the_operator_set_for_a_provider_goes_nowhere_else()
    {
        await using var fake = await FakeMcpServer.StartAsync();
        await using var other = await FakeMcpServer.StartAsync();
        var guard = new FakeAuthorisationServer(fake);
        _ = new FakeAuthorisationServer(other);
        await using var world = await McpWorld.StartAsync(settings =>
        {
            settings["Mcp:Providers:acme:Url"] = fake.Url;
            settings["Mcp:Providers:acme:ClientId"] = "operators";
            settings["Mcp:Providers:acme:ClientSecret"] = "hush-hush";
        });
        foreach (var body in (object[])[new { name = "Mine", managedProvider = "acme", url = other.Url }, new { name = "Mine", managedProvider = "acme", transport = "sse" }])
            await world.PostAsync("/api/mcps", body).ShouldBeError(422, "VALIDATION_ERROR", "url");
        var id = (await world.AddAsync(new { name = "Acme", managedProvider = "acme", url = fake.Url })).Text("id");
        await world.Turns.PatchAsync($"/api/mcps/{id}", new { managedProvider = "acme", url = other.Url }).ShouldBeError(422, "VALIDATION_ERROR", "url");
        var user = await world.Server.LoginOwnerAsync();
        using (var back = await world.Server.Anonymous.GetAsync(guard.Consent(await StartAsync()), Token)) ((int)back.StatusCode).ShouldBe(200);
        guard.TokenRequests.Single()["client_secret"].ShouldBe("hush-hush");

        var moved = await world.Turns.PatchAsync($"/api/mcps/{id}", new { url = other.Url }).ShouldBe(200);
        (moved.GetProperty("managedProvider").ValueKind, moved.GetProperty("hasCredentials").GetBoolean()).ShouldBe((JsonValueKind.Null, false));
        (await StartAsync()).ShouldContain("client_id=client1&");

        // As servers were stored before this was looked at.
        await using (var db = world.Server.Database())
            await db.McpServers.IgnoreQueryFilters().Where(s => s.Id == Guid.Parse(id)).ExecuteUpdateAsync(set => set.SetProperty(s => s.ManagedProvider, "acme").SetProperty(s => s.OauthClient, (string?)null), Token);
        (await StartAsync()).ShouldNotContain("operators");

        async Task<string> StartAsync() => (await world.PostAsync($"/api/mcps/{id}/oauth/start", new { }, user).ShouldBe(200)).Text("authorizationUrl");
    }
}
