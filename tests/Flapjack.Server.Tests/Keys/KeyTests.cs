using System.Net.Http.Json;
using System.Text.Json;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Tests.Accounts;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Keys;

public sealed class KeyTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_key_is_shown_once_and_works()
    {
        using var owner = await server.LoginOwnerAsync();
        using var response = await owner.PostAsJsonAsync("/api/keys", new { name = "  Production " }, Token);
        var created = await response.ShouldBeAsync(201);
        var text = created.Text("key");
        text.ShouldMatch("^fj_live_[0-9a-f]{64}$");
        created.Text("prefix").ShouldBe(text[..12] + "...");
        created.Text("name").ShouldBe("Production");
        created.GetProperty("scopes").ValueKind.ShouldBe(JsonValueKind.Null);
        created.GetProperty("expires_at").ValueKind.ShouldBe(JsonValueKind.Null);
        created.GetProperty("created_by").GetGuid().ShouldNotBe(Guid.Empty);

        using var client = server.ClientFor(text);
        var me = await client.MeAsync().ShouldBe(200);
        me.Text("kind").ShouldBe("key");
        me.GetProperty("key").GetProperty("id").GetGuid().ShouldBe(created.GetProperty("id").GetGuid());

        var list = await owner.GetAsync("/api/keys", Token).ShouldBe(200);
        list[0].GetProperty("id").GetGuid().ShouldBe(created.GetProperty("id").GetGuid());
        list[0].GetProperty("last_used_at").ValueKind.ShouldBe(JsonValueKind.String);
        list.ToString().ShouldNotContain(text[12..]);
        list.ToString().ShouldNotContain("hash");
    }

    [Theory]
    [InlineData("{}", 400, "MISSING_NAME")]
    [InlineData("""{"name":null}""", 400, "MISSING_NAME")]
    [InlineData("""{"name":" \u2003\n"}""", 400, "MISSING_NAME")]
    [InlineData("""{"name":7}""", 400, "INVALID_REQUEST")]
    [InlineData("""{"name":"x","scopes":"threads:read"}""", 400, "INVALID_REQUEST")]
    [InlineData("""{"name":"x","expiresAt":5}""", 400, "INVALID_REQUEST")]
    [InlineData("{", 400, "INVALID_JSON")]
    [InlineData("null", 400, "INVALID_REQUEST")]
    [InlineData("""{"name":"x","scopes":["threads:read","nothing:read"]}""", 422, "VALIDATION_ERROR", "scopes[1]")]
    [InlineData("""{"name":"x","scopes":[null]}""", 422, "VALIDATION_ERROR", "scopes[0]")]
    [InlineData("""{"name":"x","expiresAt":"tomorrow"}""", 422, "VALIDATION_ERROR", "expiresAt")]
    [InlineData("""{"name":"x","expiresAt":"2026-04-01T12:00:00Z"}""", 422, "VALIDATION_ERROR", "expiresAt")]
    [InlineData("""{"name":"x","orgId":"here"}""", 422, "VALIDATION_ERROR", "orgId")]
    [InlineData("""{"name":"x","orgId":"01900000-0000-7000-8000-000000000000"}""", 404, "NOT_FOUND")]
    public async Task Faulty_requests_say_what_is_wrong(string json, int status, string code, string? field = null)
    {
        using var owner = await server.LoginOwnerAsync();
        await owner.PostAsync("/api/keys", JsonText.Content(json), Token).ShouldBeError(status, code, field);
    }

    [Fact]
    public async Task A_name_has_at_most_100_characters_and_several_faults_come_together()
    {
        using var owner = await server.LoginOwnerAsync();
        await owner.PostAsJsonAsync("/api/keys", new { name = new string('n', 100) }, Token).ShouldBe(201);
        var body = await owner.PostAsJsonAsync("/api/keys", new { name = new string('n', 101), expiresAt = "never" }, Token).ShouldBeError(422, "VALIDATION_ERROR", "name");
        body.GetProperty("fields").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task Scopes_bind_and_snake_case_is_accepted()
    {
        using var owner = await server.LoginOwnerAsync();
        var created = await owner.PostAsJsonAsync("/api/keys", new { name = "Narrow", scopes = new[] { "logs:read", "logs:read" }, expires_at = "2026-05-01T02:00:00+02:00" }, Token).ShouldBe(201);
        created.GetProperty("scopes").EnumerateArray().Select(s => s.GetString()).ShouldBe(["logs:read"]);
        created.Text("expires_at").ShouldBe("2026-05-01T00:00:00Z");
        using var client = server.ClientFor(created.Text("key"));
        await client.MeAsync().ShouldBe(200);
        var refused = await client.GetAsync("/api/agents", Token).ShouldBeError(403, "FORBIDDEN");
        refused.Text("detail").ShouldBe("missing scope: agents:read");
    }

    [Fact]
    public async Task Without_scopes_named_a_key_may_do_nothing_that_needs_one()
    {
        using var owner = await server.LoginOwnerAsync();
        var created = await owner.PostAsJsonAsync("/api/keys", new { name = "None", scopes = Array.Empty<string>() }, Token).ShouldBe(201);
        created.GetProperty("scopes").GetArrayLength().ShouldBe(0);
        using var client = server.ClientFor(created.Text("key"));
        await client.MeAsync().ShouldBe(200);
        await client.GetAsync("/api/agents", Token).ShouldBeError(403, "FORBIDDEN");
    }

    [Fact]
    public async Task A_revoked_key_fails_on_the_next_request_and_tells_running_work()
    {
        using var owner = await server.LoginOwnerAsync();
        var created = await owner.PostAsJsonAsync("/api/keys", new { name = "Short-lived" }, Token).ShouldBe(201);
        var id = created.GetProperty("id").GetGuid();
        using var client = server.ClientFor(created.Text("key"));
        await client.MeAsync().ShouldBe(200);
        var cut = 0;
        using var running = server.Services.GetRequiredService<Revocations>().OnRevoked(id, () => cut++);

        (await owner.DeleteAsync($"/api/keys/{id}", Token).ShouldBe(200)).ToString().ShouldBe("""{"ok":true}""");
        cut.ShouldBe(1);
        await client.MeAsync().ShouldBeError(401, "UNAUTHORIZED");
        await owner.DeleteAsync($"/api/keys/{id}", Token).ShouldBeError(404, "NOT_FOUND");
        (await owner.GetAsync("/api/keys", Token).ShouldBe(200)).ToString().ShouldNotContain(id.ToString());

        var late = 0;
        using var tooLate = server.Services.GetRequiredService<Revocations>().OnRevoked(id, () => late++);
        late.ShouldBe(1, "a revocation between authentication and subscription is not lost");
    }

    [Fact]
    public async Task A_key_revoked_on_another_node_is_noticed()
    {
        var (id, text) = await server.AddKeyAsync(await server.FirstOrgAsync());
        using var client = server.ClientFor(text);
        await client.MeAsync().ShouldBe(200);
        var cut = new TaskCompletionSource();
        using var running = server.Services.GetRequiredService<Revocations>().OnRevoked(id, cut.SetResult);
        await using (var db = server.Database())
        {
            // The other node's write; it belongs to no request of this one.
            var key = await db.ApiKeys.IgnoreQueryFilters().FirstAsync(k => k.Id == id, Token);
            key.RevokedAt = server.Time.GetUtcNow().UtcDateTime;
            await db.SaveChangesAsync(Token);
        }
        server.Time.Advance(TimeSpan.FromSeconds(4));
        await cut.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
        await client.MeAsync().ShouldBeError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task A_key_ends_at_its_expiry()
    {
        using var owner = await server.LoginOwnerAsync();
        var expires = server.Time.GetUtcNow().AddMinutes(5);
        var created = await owner.PostAsJsonAsync("/api/keys", new { name = "Timed", expiresAt = expires }, Token).ShouldBe(201);
        using var client = server.ClientFor(created.Text("key"));
        await client.MeAsync().ShouldBe(200);
        server.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1));
        await client.MeAsync().ShouldBe(200);
        server.Time.Advance(TimeSpan.FromSeconds(1));
        await client.MeAsync().ShouldBeError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task Keys_are_for_administrators()
    {
        var org = await server.FirstOrgAsync();
        await server.AddUserAsync("member@example.com", (org, "member"));
        await server.AddUserAsync("admin@example.com", (org, "admin"));
        using var member = await server.ClientOfAsync("member@example.com");
        using var admin = await server.ClientOfAsync("admin@example.com");
        foreach (var (client, role) in new[] { (member, "requires role: admin"), (server.Client, "this endpoint is for users; API keys cannot call it") })
        {
            (await client.GetAsync("/api/keys", Token).ShouldBeError(403, "FORBIDDEN")).Text("detail").ShouldBe(role);
            await client.PostAsync("/api/keys", JsonText.Content("{"), Token).ShouldBeError(403, "FORBIDDEN");
            await client.DeleteAsync($"/api/keys/{Guid.CreateVersion7()}", Token).ShouldBeError(403, "FORBIDDEN");
        }
        await admin.GetAsync("/api/keys", Token).ShouldBe(200);
        await server.Anonymous.GetAsync("/api/keys", Token).ShouldBeError(401, "UNAUTHORIZED");
        using var demo = server.ClientFor(ApiKeyFormat.DemoKey);
        await demo.GetAsync("/api/keys", Token).ShouldBeError(403, "FORBIDDEN");
    }

    [Fact]
    public async Task Keys_of_another_organisation_look_like_unknown_ones()
    {
        var foreign = await server.AddOrgAsync("foreign-keys");
        var (id, _) = await server.AddKeyAsync(foreign);
        using var owner = await server.LoginOwnerAsync();
        var unknown = Guid.CreateVersion7();
        (await owner.BodyAsync(HttpMethod.Delete, $"/api/keys/{id}")).ShouldBe(await owner.BodyAsync(HttpMethod.Delete, $"/api/keys/{unknown}"));
        (await owner.BodyAsync(HttpMethod.Get, $"/api/keys?orgId={foreign}")).ShouldBe(await owner.BodyAsync(HttpMethod.Get, $"/api/keys?orgId={unknown}"));
        (await owner.BodyAsync(HttpMethod.Post, "/api/keys", $$"""{"name":"x","orgId":"{{foreign}}"}""")).ShouldBe(await owner.BodyAsync(HttpMethod.Post, "/api/keys", $$"""{"name":"x","orgId":"{{unknown}}"}"""));
        await owner.DeleteAsync("/api/keys/not-an-id", Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task A_user_of_two_organisations_chooses_by_body_query_or_header()
    {
        var (first, second) = (await server.FirstOrgAsync(), await server.AddOrgAsync("second-keys"));
        await server.AddUserAsync("both@example.com", (first, "admin"), (second, "owner"));
        using var client = await server.ClientOfAsync("both@example.com");
        var created = await client.PostAsJsonAsync("/api/keys", new { name = "Second", orgId = second }, Token).ShouldBe(201);
        var id = created.Text("id");
        (await client.GetAsync("/api/keys", Token).ShouldBe(200)).ToString().ShouldNotContain(id);
        (await client.GetAsync($"/api/keys?orgId={second}", Token).ShouldBe(200)).GetArrayLength().ShouldBe(1);
        await client.DeleteAsync($"/api/keys/{id}", Token).ShouldBeError(404, "NOT_FOUND");
        client.DefaultRequestHeaders.Add("X-Flapjack-Org", second.ToString());
        await client.DeleteAsync($"/api/keys/{id}", Token).ShouldBe(200);
    }

    [Fact]
    public async Task An_organisation_has_at_most_200_live_keys()
    {
        var org = await server.AddOrgAsync("many-keys");
        await server.AddUserAsync("many@example.com", (org, "owner"));
        using var client = await server.ClientOfAsync("many@example.com");
        for (var i = 0; i < 200; i++) await server.AddKeyAsync(org);
        await client.PostAsJsonAsync("/api/keys", new { name = "One more" }, Token).ShouldBeError(409, "CONFLICT");
        using var page = await client.GetAsync("/api/keys?limit=3&offset=1", Token);
        (await page.ShouldBeAsync(200)).GetArrayLength().ShouldBe(3);
        page.Header("X-Total-Count").ShouldBe("200");
        var id = (await client.GetAsync("/api/keys?limit=1", Token).ShouldBe(200))[0].Text("id");
        await client.DeleteAsync($"/api/keys/{id}", Token).ShouldBe(200);
        await client.PostAsJsonAsync("/api/keys", new { name = "One more" }, Token).ShouldBe(201);
    }
}
