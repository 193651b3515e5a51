using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tests.Mcp;

/// <summary>MCP servers as a resource: shape, slugs, rules, secrets, tests, attachments.</summary>
public sealed class McpServerTests(McpWorld world) : IClassFixture<McpWorld>
{
    private static readonly string[] Shape =
    [
        "id", "name", "slug", "transport", "url", "command", "args", "status", "hasCredentials", "toolsCache", "allowedTools", "auth", "managedProvider", "skillId",
        "lastError", "toolsCachedAt", "enabled", "orgId", "createdAt", "updatedAt",
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_server_is_pending_and_in_camel_case()
    {
        var mcp = await world.AddAsync(new { name = "GitHub", transport = "streamable_http", url = "https://mcp.example.com/mcp", allowedTools = new[] { "a", "b" } });
        mcp.EnumerateObject().Select(p => p.Name).ShouldBe(Shape);
        (mcp.Text("slug"), mcp.Text("status"), mcp.Text("auth")).ShouldBe(("github", "pending", "none"));
        mcp.GetProperty("hasCredentials").GetBoolean().ShouldBeFalse();
        mcp.GetProperty("allowedTools").GetRawText().ShouldBe("""["a","b"]""");
        (await world.ReadAsync(mcp.Text("id"))).ToString().ShouldBe(mcp.ToString());
        (await world.Turns.GetAsync("/api/mcps"))[0].Text("id").ShouldBe(mcp.Text("id"));
    }

    [Theory]
    [InlineData("My  Fancy--Server!", "my_fancy_server")]
    [InlineData("__x__", "x")]
    [InlineData("Ünïcode Ä", "n_code")]
    [InlineData("日本", "mcp")]
    [InlineData("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwx")]
    [InlineData("abcdefghijklmnopqrstuvw xyz", "abcdefghijklmnopqrstuvw")]
    public void A_slug_keeps_letters_digits_and_single_underscores(string name, string slug) => Flapjack.Server.Mcp.McpSlug.Of(name).ShouldBe(slug);

    [Fact]
    public async Task Equal_names_get_numbered_slugs_also_at_once_and_a_slug_stays()
    {
        var name = $"twin {Guid.NewGuid():N}"[..24];
        var bodies = Enumerable.Range(0, 5).Select(_ => world.AddAsync(new { name, transport = "sse", url = "https://mcp.example.com/sse" }));
        var slugs = (await Task.WhenAll(bodies)).Select(mcp => mcp.Text("slug")).Order(StringComparer.Ordinal).ToList();
        var whole = name.Replace(' ', '_');
        slugs.ShouldBe([.. new[] { whole, whole[..22] + "_2", whole[..22] + "_3", whole[..22] + "_4", whole[..22] + "_5" }.Order(StringComparer.Ordinal)]);
        var id = (await world.AddAsync(new { name, transport = "sse", url = "https://mcp.example.com/sse" })).Text("id");
        var renamed = await world.Turns.PatchAsync($"/api/mcps/{id}", new { name = "Other", slug = "taken" }).ShouldBe(200);
        (renamed.Text("name"), renamed.Text("slug")).ShouldBe(("Other", whole[..22] + "_6"));
    }

    [Theory]
    [InlineData("""{}""", "name")]
    [InlineData("""{"name":"x"}""", "transport")]
    [InlineData("""{"name":"x","transport":"carrier_pigeon","url":"https://a.example.com"}""", "transport")]
    [InlineData("""{"name":"x","transport":"sse"}""", "url")]
    [InlineData("""{"name":"x","transport":"sse","url":"ftp://a.example.com"}""", "url")]
    [InlineData("""{"name":"x","transport":"sse","url":"http://169.254.169.254/latest"}""", "url")]
    [InlineData("""{"name":"x","transport":"stdio"}""", "command")]
    [InlineData("""{"name":"x","transport":"stdio","command":"-rf"}""", "command")]
    [InlineData("""{"name":"x","transport":"sse","url":"https://a.example.com","credentials":{"headers":{"Host":"b"}}}""", "credentials.headers.Host")]
    [InlineData("""{"name":"x","transport":"sse","url":"https://a.example.com","credentials":{"headers":{"A":"b\nc"}}}""", "credentials.headers.A")]
    [InlineData("""{"name":"x","transport":"sse","url":"https://a.example.com","credentials":{"env":{"A B":"c"}}}""", "credentials.env.A B")]
    [InlineData("""{"name":"x","transport":"sse","url":"https://a.example.com","allowedTools":[null]}""", "allowedTools[0]")]
    [InlineData("""{"name":"x","managedProvider":"nobody"}""", "managedProvider")]
    public async Task Faulty_fields_are_named(string body, string field) => await world.PostAsync("/api/mcps", body).ShouldBeError(422, "VALIDATION_ERROR", field);

    [Fact]
    public async Task Credentials_are_encrypted_never_returned_replaced_as_a_whole_and_removed_by_null()
    {
        var mcp = await world.AddAsync(new { name = "Secretive", transport = "sse", url = "https://a.example.com", credentials = new { headers = new { Authorization = "Bearer hush-hush" } } });
        var id = mcp.Text("id");
        mcp.ToString().ShouldNotContain("hush");
        (mcp.GetProperty("hasCredentials").GetBoolean(), mcp.Text("auth")).ShouldBe((true, "headers"));
        (await world.RowAsync(id)).Credentials!.ShouldStartWith("v1.");
        var changed = await world.Turns.PatchAsync($"/api/mcps/{id}", new { credentials = new { env = new { TOKEN = "hush" } } }).ShouldBe(200);
        changed.Text("auth").ShouldBe("env");
        var removed = await world.Turns.PatchAsync($"/api/mcps/{id}", """{"credentials":null}""").ShouldBe(200);
        (removed.GetProperty("hasCredentials").GetBoolean(), removed.Text("auth")).ShouldBe((false, "none"));
        (await world.RowAsync(id)).Credentials.ShouldBeNull();
    }

    [Fact]
    public async Task A_test_lists_and_keeps_the_tools_and_another_address_drops_them()
    {
        await using var fake = await FakeMcpServer.StartAsync();
        var mcp = await world.AddAsync(new { name = "Tested", transport = "streamable_http", url = fake.Url, credentials = new { headers = new { Authorization = "Bearer key" } } });
        fake.Count("initialize").ShouldBe(0);
        (await world.TestAsync(mcp.Text("id"))).GetRawText().ShouldBe("""{"ok":true,"tools":[{"name":"add","description":"Adds two numbers"},{"name":"echo","description":"Says it again"}]}""");
        fake.Asked.ShouldAllBe(asked => asked.Headers["Authorization"] == "Bearer key");
        var read = await world.ReadAsync(mcp.Text("id"));
        read.Text("status").ShouldBe("active");
        read.GetProperty("toolsCache")[0].GetProperty("inputSchema").GetProperty("required").GetRawText().ShouldBe("""["a","b"]""");
        read.Text("toolsCachedAt").ShouldStartWith("2026-04-01");
        var moved = await world.Turns.PatchAsync($"/api/mcps/{mcp.Text("id")}", new { url = "https://b.example.com" }).ShouldBe(200);
        (moved.Text("status"), moved.GetProperty("toolsCache").GetArrayLength()).ShouldBe(("pending", 0));
    }

    [Fact]
    public async Task Credentials_do_not_follow_to_another_host_or_program()
    {
        var headers = new { headers = new { Authorization = "Bearer hush" } };
        var id = (await world.AddAsync(new { name = "Moving", transport = "streamable_http", url = "https://a.example.com/mcp", credentials = headers })).Text("id");
        await ExpectAsync(new { url = "https://a.example.com/other" }, "headers");
        await ExpectAsync(new { name = "Still there" }, "headers");
        await ExpectAsync(new { url = "https://b.example.com/mcp", credentials = headers }, "headers");
        await ExpectAsync(new { url = "https://b.example.com:8443/mcp" }, "none");
        (await world.RowAsync(id)).Credentials.ShouldBeNull();
        await ExpectAsync(new { credentials = headers }, "headers");
        await ExpectAsync(new { transport = "sse" }, "none");

        var env = new { env = new { TOKEN = "hush" } };
        id = (await world.AddAsync(new { name = "Program", transport = "stdio", command = "sh", args = new[] { "-c", "one" }, credentials = env })).Text("id");
        await using (var db = world.Server.Database())
            await db.McpServers.IgnoreQueryFilters().Where(s => s.Id == Guid.Parse(id)).ExecuteUpdateAsync(set => set.SetProperty(s => s.Status, "active"), Token);
        await ExpectAsync(new { command = "sh", args = new[] { "-c", "one" } }, "env", "active");
        await ExpectAsync(new { args = new[] { "-c", "two" } }, "none", "pending");
        await ExpectAsync(new { credentials = env }, "env");
        await ExpectAsync(new { command = "bash" }, "none");

        async Task ExpectAsync(object change, string auth, string status = "pending")
        {
            var changed = await world.Turns.PatchAsync($"/api/mcps/{id}", change).ShouldBe(200);
            (changed.Text("auth"), changed.GetProperty("hasCredentials").GetBoolean(), changed.Text("status")).ShouldBe((auth, auth != "none", status), change.ToString());
        }
    }

    [Fact]
    public async Task A_failed_test_is_an_answer_with_its_reason()
    {
        await using var fake = await FakeMcpServer.StartAsync();
        var id = (await world.AddAsync(new { name = "Failing", transport = "streamable_http", url = fake.Url })).Text("id");
        fake.IsAllowed = _ => false;
        await ExpectAsync("AUTH_REQUIRED", "needs_auth");
        fake.IsAllowed = _ => true;
        fake.Broken = 500;
        await ExpectAsync("PROTOCOL_ERROR", "error");
        fake.Broken = 301;
        await ExpectAsync("PROTOCOL_ERROR", "error");
        await fake.DisposeAsync();
        await ExpectAsync("CONNECT_FAILED", "error");

        async Task ExpectAsync(string error, string status)
        {
            var answer = await world.TestAsync(id);
            (answer.GetProperty("ok").GetBoolean(), answer.GetProperty("tools").GetArrayLength(), answer.Text("error")).ShouldBe((false, 0, error), answer.ToString());
            answer.Text("detail").ShouldNotBeEmpty();
            var read = await world.ReadAsync(id);
            (read.Text("status"), read.Text("lastError")).ShouldBe((status, answer.Text("detail")));
        }
    }

    [Fact]
    public async Task A_test_of_a_silent_server_ends_after_fifteen_seconds()
    {
        await using var fake = await FakeMcpServer.StartAsync();
        fake.Other = async http =>
        {
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
            return true;
        };
        await using var own = await McpWorld.StartAsync();
        var id = (await own.AddAsync(new { name = "Silent", transport = "streamable_http", url = fake.Url })).Text("id");
        var test = own.TestAsync(id);
        await own.Server.Time.ArmedAsync(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(15)).WaitAsync(Token);
        own.Server.Time.Advance(TimeSpan.FromSeconds(16));
        (await test).Text("error").ShouldBe("TIMEOUT");
    }

    [Fact]
    public async Task An_address_that_became_forbidden_is_blocked_when_it_is_called()
    {
        await using var fake = await FakeMcpServer.StartAsync();
        await using var own = await McpWorld.StartAsync();
        var id = (await own.AddAsync(new { name = "Inside", transport = "streamable_http", url = fake.Url })).Text("id");
        await own.Server.RestartAsync(settings => settings["Network:AllowedHosts:0"] = null);
        var answer = await own.TestAsync(id);
        answer.Text("error").ShouldBe("BLOCKED_ADDRESS");
        answer.Text("detail").ShouldContain("Network:AllowedHosts");
        fake.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task Attaching_is_an_upsert_and_lists_keep_the_order()
    {
        var agent = await world.Server.CreateAgentAsync();
        var (one, two) = ((await world.AddAsync(new { name = "One", transport = "sse", url = "https://a.example.com" })).Text("id"), (await world.AddAsync(new { name = "Two", transport = "sse", url = "https://a.example.com" })).Text("id"));
        var path = $"/api/agents/{agent}/mcps";
        var first = await world.PostAsync(path, new { mcpServerId = one, allowedTools = new[] { "x" } }).ShouldBe(201);
        first.EnumerateObject().Select(p => p.Name).ShouldBe(["id", "agent_id", "mcp_server_id", "allowed_tools", "created_at", "server"]);
        first.GetProperty("server").EnumerateObject().Select(p => p.Name).ShouldBe(["id", "name", "slug", "status"]);
        await world.PostAsync(path, new { mcpServerId = two }).ShouldBe(201);
        (await world.PostAsync(path, new { mcp_server_id = one }).ShouldBe(200)).GetProperty("allowed_tools").ValueKind.ShouldBe(JsonValueKind.Null);
        (await world.Turns.GetAsync(path)).EnumerateArray().Select(row => row.Text("mcp_server_id")).ShouldBe([one, two]);
        await world.PostAsync(path, new { mcpServerId = Guid.CreateVersion7() }).ShouldBeError(404, "NOT_FOUND");
        await world.PostAsync(path, new { mcpServerId = "x" }).ShouldBeError(422, "VALIDATION_ERROR", "mcpServerId");
        (await world.Server.Client.BodyAsync(HttpMethod.Delete, path, $$"""{"mcpServerId":"{{one}}"}""")).ShouldStartWith("200 ");
        (await world.Server.Client.BodyAsync(HttpMethod.Delete, $"{path}?mcpServerId={one}")).ShouldStartWith("404 ");
        (await world.Server.Client.DeleteAsync($"/api/mcps/{two}", Token).ShouldBe(200)).GetRawText().ShouldBe("""{"ok":true}""");
        (await world.Turns.GetAsync(path)).GetArrayLength().ShouldBe(0);
        await world.Server.Client.GetAsync($"/api/mcps/{two}", Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Strangers_find_nothing()
    {
        var mcp = await world.AddAsync(new { name = "Ours", transport = "sse", url = "https://a.example.com" });
        var agent = await world.Server.CreateAgentAsync();
        await world.AttachAsync(agent, mcp.Text("id"));
        var org = await world.Server.AddOrgAsync($"strangers-{Guid.NewGuid():N}");
        var stranger = world.Server.ClientFor((await world.Server.AddKeyAsync(org)).Text);
        var mail = $"{Guid.NewGuid():N}@example.com";
        await world.Server.AddUserAsync(mail, (org, "owner"));
        var user = await world.Server.ClientOfAsync(mail);
        var theirs = (await world.PostAsync("/api/agents", new { name = "Theirs", defaultModel = "flapjack-offline" }, stranger).ShouldBe(201)).Text("id");
        foreach (var client in (HttpClient[])[stranger, user])
        {
            foreach (var (method, path, body) in ((HttpMethod, string, string?)[])[
                (HttpMethod.Get, $"/api/mcps/{mcp.Text("id")}", null), (HttpMethod.Patch, $"/api/mcps/{mcp.Text("id")}", """{"name":"x"}"""), (HttpMethod.Delete, $"/api/mcps/{mcp.Text("id")}", null),
                (HttpMethod.Post, $"/api/mcps/{mcp.Text("id")}/test", "{}"), (HttpMethod.Get, $"/api/agents/{agent}/mcps", null), (HttpMethod.Post, $"/api/agents/{theirs}/mcps", $$"""{"mcpServerId":"{{mcp.Text("id")}}"}"""),
                (HttpMethod.Delete, $"/api/agents/{agent}/mcps", $$"""{"mcpServerId":"{{mcp.Text("id")}}"}""")])
            {
                (await client.BodyAsync(method, path, body)).ShouldStartWith("404 ", Case.Sensitive, $"{method} {path}");
            }
            (await client.GetAsync("/api/mcps", Token).ShouldBe(200)).GetArrayLength().ShouldBe(0);
        }
        foreach (var path in (string[])[$"/api/mcps/{mcp.Text("id")}/oauth/start", $"/api/mcps/{mcp.Text("id")}/oauth"])
        {
            (await user.BodyAsync(path.EndsWith("start", StringComparison.Ordinal) ? HttpMethod.Post : HttpMethod.Get, path, path.EndsWith("start", StringComparison.Ordinal) ? "{}" : null)).ShouldStartWith("404 ");
        }
        (await user.BodyAsync(HttpMethod.Delete, $"/api/mcps/{mcp.Text("id")}/oauth")).ShouldStartWith("404 ");
    }

    [Fact]
    public async Task A_deleted_organisation_or_agent_leaves_nothing_behind()
    {
        var mcp = await world.AddAsync(new { name = "Leftover", transport = "sse", url = "https://a.example.com" });
        var agent = await world.Server.CreateAgentAsync();
        await world.AttachAsync(agent, mcp.Text("id"));
        await world.Server.Client.DeleteAsync($"/api/agents/{agent}", Token).ShouldBe(200);
        await using var db = world.Server.Database();
        db.McpAttachments.IgnoreQueryFilters().Count(a => a.AgentId == agent).ShouldBe(0);
        (await world.ReadAsync(mcp.Text("id"))).Text("status").ShouldBe("pending");
    }
}
