using System.Text.Json;
using Flapjack.Server.Mcp.Authorization;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Processes;
using Flapjack.Server.Tests.PublicChat;
using Flapjack.Server.Tests.Threads;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Mcp;

/// <summary>Authorisation of MCP servers: how it starts, comes back, is refreshed and ends.</summary>
public sealed class McpOAuthTests(McpWorld world) : IClassFixture<McpWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_that_describes_its_authorisation_is_connected_with_an_empty_body()
    {
        await using var fake = await FakeMcpServer.StartAsync();
        var guard = new FakeAuthorisationServer(fake);
        var (mcp, slug, _, thread) = await world.GiveAsync(fake);
        (await world.TestAsync(mcp)).Text("error").ShouldBe("AUTH_REQUIRED");
        var user = await world.Server.LoginOwnerAsync();
        var address = await StartAsync(world, user, mcp);
        var query = QueryHelpers.ParseQuery(new Uri(address).Query).ToDictionary(p => p.Key, p => p.Value.ToString());
        (query["client_id"], query["scope"], query["resource"]).ShouldBe(("client1", "tools:use", fake.Url));
        query["redirect_uri"].ShouldBe(new Uri(world.Server.BaseAddress, "/api/mcps/oauth/callback").ToString());
        query["state"].ShouldNotContain(mcp);

        using (var back = await world.Server.Anonymous.GetAsync(guard.Consent(address), Token))
        {
            ((int)back.StatusCode).ShouldBe(200);
            var page = await back.Content.ReadAsStringAsync(Token);
            page.ShouldContain("flapjack:mcp-oauth");
            page.ShouldContain($"data-ok=\"true\" data-mcp-id=\"{mcp}\"");
            back.Header("Content-Security-Policy")!.ShouldContain("script-src 'sha256-");
        }
        guard.TokenRequests[0]["code_verifier"].Length.ShouldBe(86);
        guard.TokenRequests[0]["resource"].ShouldBe(fake.Url);
        var read = await world.ReadAsync(mcp);
        (read.Text("status"), read.Text("auth"), read.GetProperty("hasCredentials").GetBoolean(), read.GetProperty("toolsCache").GetArrayLength()).ShouldBe(("active", "oauth", true, 2));
        var state = await user.GetAsync($"/api/mcps/{mcp}/oauth", Token).ShouldBe(200);
        state.EnumerateObject().Select(p => p.Name).ShouldBe(["connected", "scope", "expiresAt", "lastRefreshAt", "lastError"]);
        (state.GetProperty("connected").GetBoolean(), state.Text("scope"), state.Text("expiresAt")).ShouldBe((true, "tools:use", "2026-04-01T13:00:00Z"));
        (await world.CallAsync(thread, $"{slug}__echo", """{"text":"hi"}""")).Text("result").ShouldBe("hi");
        var row = await world.RowAsync(mcp);
        (row.OauthTokens + row.OauthClient).ShouldNotContain("access");

        // Again: the client introduced itself already.
        (await StartAsync(world, user, mcp)).ShouldContain("client_id=client1&");
        guard.Registrations.ShouldBe(1);
        (await user.DeleteAsync($"/api/mcps/{mcp}/oauth", Token).ShouldBe(200)).GetRawText().ShouldBe("""{"ok":true}""");
        guard.Revoked.ShouldBe(["refresh2"]);
        (await world.ReadAsync(mcp)).Text("status").ShouldBe("needs_auth");
        (await user.GetAsync($"/api/mcps/{mcp}/oauth", Token).ShouldBe(200)).GetProperty("connected").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task Given_addresses_are_used_as_they_are()
    {
        await using var fake = await FakeMcpServer.StartAsync();
        var guard = new FakeAuthorisationServer(fake) { Publishes = false };
        var mcp = (await world.AddAsync(new { name = "Given", transport = "streamable_http", url = fake.Url })).Text("id");
        var user = await world.Server.LoginOwnerAsync();
        var address = await StartAsync(world, user, mcp, new { clientId = "mine", clientSecret = "hush", authorizeUrl = fake.Address + "/authorize", tokenUrl = fake.Address + "/token", scope = "repo", redirectAfter = "/settings/mcps?tab=1" });
        address.ShouldStartWith($"{fake.Address}/authorize?response_type=code&client_id=mine&redirect_uri=");
        address.ShouldContain("&scope=repo&");
        address.ShouldNotContain("resource=");
        address.ShouldNotContain("hush");
        using var back = await world.Server.Anonymous.GetAsync(guard.Consent(address), Token);
        ((int)back.StatusCode, back.Header("Location")).ShouldBe((302, "/settings/mcps?tab=1"));
        guard.TokenRequests.Single()["client_secret"].ShouldBe("hush");
        (await world.ReadAsync(mcp)).Text("status").ShouldBe("active");
    }

    [Theory]
    [InlineData("""{"authorizeUrl":"https://a.example.com/x","tokenUrl":"https://a.example.com/y","scope":""}""", "clientId")]
    [InlineData("""{"clientId":"c","tokenUrl":"https://a.example.com/y","scope":""}""", "authorizeUrl")]
    [InlineData("""{"clientId":"c","authorizeUrl":"https://a.example.com/x","tokenUrl":"https://a.example.com/y"}""", "scope")]
    [InlineData("""{"clientId":"c","authorizeUrl":"http://8.8.8.8/x","tokenUrl":"https://a.example.com/y","scope":""}""", "authorizeUrl")]
    [InlineData("""{"clientId":"c","authorizeUrl":"https://a.example.com/x","tokenUrl":"https://10.0.0.1/y","scope":""}""", "tokenUrl")]
    [InlineData("""{"redirectAfter":"https://evil.example.com"}""", "redirectAfter")]
    [InlineData("""{"redirectAfter":"//evil.example.com"}""", "redirectAfter")]
    [InlineData("""{"redirectAfter":"/\\evil.example.com"}""", "redirectAfter")]
    public async Task Faulty_starts_are_named(string body, string field)
    {
        var mcp = (await world.AddAsync(new { name = "Faulty", transport = "sse", url = "https://a.example.com" })).Text("id");
        await world.PostAsync($"/api/mcps/{mcp}/oauth/start", body, await world.Server.LoginOwnerAsync()).ShouldBeError(422, "VALIDATION_ERROR", field);
    }

    [Fact]
    public async Task A_server_that_describes_nothing_cannot_be_started_without_addresses_and_programs_never()
    {
        await using var fake = await FakeMcpServer.StartAsync();
        var user = await world.Server.LoginOwnerAsync();
        var mcp = (await world.AddAsync(new { name = "Mute", transport = "streamable_http", url = fake.Url })).Text("id");
        await world.PostAsync($"/api/mcps/{mcp}/oauth/start", new { }, user).ShouldBeError(422, "VALIDATION_ERROR", "authorizeUrl");
        _ = new FakeAuthorisationServer(fake) { Registers = false };
        await world.PostAsync($"/api/mcps/{mcp}/oauth/start", new { }, user).ShouldBeError(422, "VALIDATION_ERROR", "clientId");
        (await StartAsync(world, user, mcp, new { clientId = "known" })).ShouldContain("client_id=known");
        var program = (await world.AddAsync(new { name = "Program", transport = "stdio", command = "sh" })).Text("id");
        await world.PostAsync($"/api/mcps/{program}/oauth/start", new { }, user).ShouldBeError(409, "CONFLICT");
    }

    [Fact]
    public async Task A_state_is_good_for_one_use_for_ten_minutes_and_only_as_it_was_made()
    {
        await using var own = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        var guard = new FakeAuthorisationServer(fake);
        var mcp = (await own.AddAsync(new { name = "Once", transport = "streamable_http", url = fake.Url })).Text("id");
        var user = await own.Server.LoginOwnerAsync();
        var back = guard.Consent(await StartAsync(own, user, mcp));
        (await StatusAsync(own, back[..^8] + "AAAAAAAA")).ShouldBe(400);
        (await StatusAsync(own, "/api/mcps/oauth/callback?code=x")).ShouldBe(400);
        (await StatusAsync(own, "/api/mcps/oauth/callback?code=x&state=nonsense")).ShouldBe(400);
        (await Task.WhenAll(StatusAsync(own, back), StatusAsync(own, back))).Order().ShouldBe([200, 400]);
        (await StatusAsync(own, back)).ShouldBe(400);
        var late = guard.Consent(await StartAsync(own, user, mcp));
        own.Server.Time.Advance(TimeSpan.FromMinutes(10));
        (await StatusAsync(own, late)).ShouldBe(400);
        await using var db = own.Server.Database();
        (await db.McpAuthorizations.IgnoreQueryFilters().CountAsync(Token)).ShouldBeLessThanOrEqualTo(1);
    }

    [Fact]
    public async Task A_refusal_of_the_person_is_told_and_changes_nothing()
    {
        await using var fake = await FakeMcpServer.StartAsync();
        var guard = new FakeAuthorisationServer(fake);
        var mcp = (await world.AddAsync(new { name = "Refused", transport = "streamable_http", url = fake.Url })).Text("id");
        var user = await world.Server.LoginOwnerAsync();
        var state = QueryHelpers.ParseQuery(new Uri(await StartAsync(world, user, mcp)).Query)["state"].ToString();
        using var back = await world.Server.Anonymous.GetAsync($"/api/mcps/oauth/callback?error=access_denied%3Cscript%3E&state={state}", Token);
        ((int)back.StatusCode).ShouldBe(400);
        var page = await back.Content.ReadAsStringAsync(Token);
        page.ShouldContain("data-ok=\"false\"");
        page.ShouldNotContain("denied<script>");
        (await user.GetAsync($"/api/mcps/{mcp}/oauth", Token).ShouldBe(200)).Text("lastError").ShouldContain("access_denied");
        guard.TokenRequests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Tokens_that_end_soon_are_refreshed_once_for_all_calls()
    {
        await using var own = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        var (guard, user, mcp, slug, thread) = await ConnectedAsync(own, fake);
        own.Server.Time.Advance(TimeSpan.FromMinutes(57));
        (await own.CallAsync(thread, $"{slug}__echo", """{"text":"a"}""")).Text("result").ShouldBe("a");
        guard.TokenRequests.Count.ShouldBe(1);
        own.Server.Time.Advance(TimeSpan.FromMinutes(2));
        var events = await own.Server.AskAsync(thread, $$"""
            /tool {{slug}}__echo {"text":"b"}
            /tool {{slug}}__echo {"text":"c"}
            /tool {{slug}}__echo {"text":"d"}
            """);
        events.Of("tool_result").Select(e => e.Text("result")).Order(StringComparer.Ordinal).ShouldBe(["b", "c", "d"]);
        guard.TokenRequests.Count.ShouldBe(2);
        guard.TokenRequests[1]["grant_type"].ShouldBe("refresh_token");
        (await own.Server.LoginOwnerAsync()).ShouldNotBeSameAs(user);
        (await StateAsync(own, mcp)).Text("lastRefreshAt").ShouldStartWith("2026-04-01T12:59");
    }

    [Fact]
    public async Task A_token_the_server_no_longer_takes_is_refreshed_before_its_time()
    {
        await using var own = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        var (guard, _, _, slug, thread) = await ConnectedAsync(own, fake);
        guard.Expire();
        (await own.CallAsync(thread, $"{slug}__echo", """{"text":"a"}""")).Text("result").ShouldBe("a");
        guard.TokenRequests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_call_that_needs_further_rights_asks_for_them_beside_the_old_ones()
    {
        await using var own = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        var (guard, _, mcp, slug, thread) = await ConnectedAsync(own, fake);
        fake.MissingScope = "tools:write tools:use";
        var events = await own.Server.AskAsync(thread, $$"""/tool {{slug}}__echo {"text":"a"}""");
        events.Of("tool_result").Single().GetProperty("result").Text("error").ShouldBe("AUTH_REQUIRED");
        var address = events.Of("auth_challenge").Single().GetProperty("challenge").Text("redirectUrl");
        Uri.UnescapeDataString(address).ShouldContain("scope=tools:use tools:write&");
        // Calls of other tools need no more than before.
        (await own.ReadAsync(mcp)).Text("status").ShouldBe("active");

        fake.MissingScope = null;
        (await StatusAsync(own, guard.Consent(address))).ShouldBe(200);
        (await own.CallAsync(thread, $"{slug}__echo", """{"text":"again"}""")).Text("result").ShouldBe("again");
    }

    [Fact]
    public async Task A_failed_refresh_asks_the_user_with_a_fresh_address()
    {
        await using var own = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        var (guard, _, mcp, slug, thread) = await ConnectedAsync(own, fake);
        guard.RefreshError = "invalid_grant";
        guard.Expire();
        var events = await own.Server.AskAsync(thread, $$"""/tool {{slug}}__echo {"text":"a"}""");
        var challenge = events.Of("auth_challenge").Single();
        (challenge.Text("toolName"), challenge.GetProperty("challenge").Text("provider")).ShouldBe(($"{slug}__echo", (await own.ReadAsync(mcp)).Text("name")));
        events.Of("tool_result").Single().GetProperty("result").Text("error").ShouldBe("AUTH_REQUIRED");
        events.Of("done").Single().Text("finishReason").ShouldBe("auth_challenge");
        (await own.ReadAsync(mcp)).Text("status").ShouldBe("needs_auth");
        (await StateAsync(own, mcp)).Text("lastError").ShouldContain("invalid_grant");

        guard.RefreshError = null;
        (await StatusAsync(own, guard.Consent(challenge.GetProperty("challenge").Text("redirectUrl")))).ShouldBe(200);
        (await own.CallAsync(thread, $"{slug}__echo", """{"text":"again"}""")).Text("result").ShouldBe("again");
    }

    [Fact]
    public async Task A_visitor_of_a_published_chat_is_not_asked_to_authorise_the_organisations_server()
    {
        await using var own = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        var guard = new FakeAuthorisationServer(fake);
        var (mcp, slug, agent, _) = await own.GiveAsync(fake);
        (await StatusAsync(own, guard.Consent(await StartAsync(own, await own.Server.LoginOwnerAsync(), mcp)))).ShouldBe(200);
        guard.RefreshError = "invalid_grant";
        guard.Expire();
        await own.PostAsync($"/api/agents/{agent}/publish", new { slug = "visited", exposeToolDetails = true }).ShouldBe(201);
        var chats = new ChatWorld(own.Turns);
        var (thread, session) = await chats.OpenAsync("visited");
        await using (var stream = await chats.SayAsync("visited", thread, new { content = $$"""/tool {{slug}}__echo {"text":"a"}""" }, session))
        {
            (await stream.EndAsync()).Data.Text("finishReason").ShouldBe("stop");
            stream.Seen.Of("tool_result").Single().GetProperty("result").Text("error").ShouldBe("AUTH_REQUIRED");
            stream.Seen.Of("auth_challenge").ShouldBeEmpty();
        }

        // One that was made before, or in another way, is not taken back either.
        guard.RefreshError = null;
        var row = await own.RowAsync(mcp);
        var client = OAuthClient.Of(row, own.Server.Services.GetRequiredService<SecretBox>())!;
        var address = await own.Server.Services.GetRequiredService<Authorizations>().StartAsync(row, client, "public:visited:x", null, Token);
        (await StatusAsync(own, guard.Consent(address))).ShouldBe(400);
        (await own.ReadAsync(mcp)).Text("status").ShouldBe("needs_auth");
    }

    [Fact]
    public async Task A_proxy_that_refuses_in_words_does_not_cost_the_refresh_token()
    {
        await using var own = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        var (guard, _, _, slug, thread) = await ConnectedAsync(own, fake);
        var answers = fake.Other;
        fake.Other = async http =>
        {
            if (http.Request.Path != "/token") return await answers(http);
            http.Response.StatusCode = 429;
            await http.Response.WriteAsync("slow down", http.RequestAborted);
            return true;
        };
        own.Server.Time.Advance(TimeSpan.FromMinutes(59));
        (await own.CallAsync(thread, $"{slug}__echo", """{"text":"a"}""")).Text("result").ShouldBe("a");
        fake.Other = answers;
        own.Server.Time.Advance(TimeSpan.FromMinutes(2));
        (await own.CallAsync(thread, $"{slug}__echo", """{"text":"b"}""")).Text("result").ShouldBe("b");
        guard.TokenRequests[^1]["refresh_token"].ShouldBe("refresh2");
    }

    [Fact]
    public async Task Two_nodes_refresh_once()
    {
        await using var own = await McpWorld.StartAsync();
        if (own.Server.ConnectionString.StartsWith("Data Source", StringComparison.Ordinal)) Assert.Skip("SQLite has one node.");
        await using var fake = await FakeMcpServer.StartAsync();
        // Shorter than a session idles: one that was closed on the way would ask for a token of its own, under a lease that the moving clock ends at once.
        var (guard, _, _, slug, thread) = await ConnectedAsync(own, fake, expiresIn: 180);
        await using var peer = own.Server.StartPeer();
        var agent = (await own.Turns.ThreadAsync(thread)).GetProperty("agent_id").GetGuid();
        var other = await own.Server.CreateThreadAsync(agent);
        // What listens in the background asks for a token too.
        await fake.UntilSomebodyListensAsync();
        own.Server.Time.Advance(TimeSpan.FromMinutes(2));
        var gate = new TaskCompletionSource();
        guard.RefreshGate = gate.Task;
        var calls = Task.WhenAll(own.Server.AskAsync(thread, $$"""/tool {{slug}}__echo {"text":"a"}"""), peer.AskAsync(other, $$"""/tool {{slug}}__echo {"text":"b"}"""));
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "a token is asked for", () => Task.FromResult(guard.TokenRequests.Count >= 2));
        gate.SetResult();
        (await calls).SelectMany(events => events.Of("tool_result")).ShouldAllBe(result => !result.GetProperty("is_error").GetBoolean());
        guard.TokenRequests.Count.ShouldBe(2);
    }

    private static async Task<(FakeAuthorisationServer Guard, HttpClient User, string Mcp, string Slug, Guid Thread)> ConnectedAsync(McpWorld world, FakeMcpServer fake, int? expiresIn = 3600)
    {
        var guard = new FakeAuthorisationServer(fake) { ExpiresIn = expiresIn };
        var (mcp, slug, _, thread) = await world.GiveAsync(fake);
        var user = await world.Server.LoginOwnerAsync();
        (await StatusAsync(world, guard.Consent(await StartAsync(world, user, mcp)))).ShouldBe(200);
        return (guard, user, mcp, slug, thread);
    }

    private static async Task<JsonElement> StateAsync(McpWorld world, string mcp) => await (await world.Server.LoginOwnerAsync()).GetAsync($"/api/mcps/{mcp}/oauth", Token).ShouldBe(200);

    private static async Task<string> StartAsync(McpWorld world, HttpClient user, string mcp, object? body = null) =>
        (await world.PostAsync($"/api/mcps/{mcp}/oauth/start", body ?? new { }, user).ShouldBe(200)).Text("authorizationUrl");

    private static async Task<int> StatusAsync(McpWorld world, string path)
    {
        using var response = await world.Server.Anonymous.GetAsync(path, Token);
        return (int)response.StatusCode;
    }
}
