using System.Net.Http.Json;
using System.Text.Json;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Tests.Accounts;

public sealed class MeTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_told_its_organisation_and_scopes()
    {
        var (id, text) = await server.AddKeyAsync(await server.FirstOrgAsync(), "threads:write logs:read");
        using var client = server.ClientFor(text);
        var me = await client.MeAsync().ShouldBe(200);
        me.Text("kind").ShouldBe("key");
        me.GetProperty("user").ValueKind.ShouldBe(JsonValueKind.Null);
        me.GetProperty("orgs")[0].GetProperty("role").ValueKind.ShouldBe(JsonValueKind.Null);
        me.GetProperty("orgs")[0].GetProperty("is_default").GetBoolean().ShouldBeTrue();
        me.GetProperty("key").GetProperty("id").GetGuid().ShouldBe(id);
        me.GetProperty("key").GetProperty("scopes").GetArrayLength().ShouldBe(2);
        me.ToString().ShouldNotContain(text);
    }

    [Fact]
    public async Task The_demo_key_is_told_the_demo_organisation()
    {
        using var demo = server.ClientFor(ApiKeyFormat.DemoKey);
        var me = await demo.MeAsync().ShouldBe(200);
        me.Text("kind").ShouldBe("key");
        me.GetProperty("orgs")[0].Text("id").ShouldBe("00000000-0000-0000-0000-00000000d3a0");
        await demo.PatchAsJsonAsync("/api/auth/me", new { name = "x" }, Token).ShouldBeError(403, "FORBIDDEN");
        using var other = server.ClientFor("fj_demo_other");
        await other.MeAsync().ShouldBeError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task Nobody_is_told_nothing()
    {
        using var response = await server.Anonymous.MeAsync();
        await response.ShouldBeErrorAsync(401, "UNAUTHORIZED");
        response.Header("WWW-Authenticate").ShouldBe("Bearer");
        await server.Client.PatchAsJsonAsync("/api/auth/me", new { name = "x" }, Token).ShouldBeError(403, "FORBIDDEN");
    }

    [Fact]
    public async Task Name_and_default_organisation_change_and_absent_fields_stay()
    {
        var (first, second) = (await server.FirstOrgAsync(), await server.AddOrgAsync("second-me"));
        await server.AddUserAsync("changer@example.com", (first, "viewer"), (second, "member"));
        using var client = await server.ClientOfAsync("changer@example.com");
        var me = await client.PatchAsJsonAsync("/api/auth/me", new { name = " Grace ", defaultOrgId = second }, Token).ShouldBe(200);
        me.GetProperty("user").Text("name").ShouldBe("Grace");
        me.GetProperty("orgs").EnumerateArray().Single(o => o.GetProperty("is_default").GetBoolean()).GetProperty("id").GetGuid().ShouldBe(second);
        (await server.LoginAsync("changer@example.com")).GetProperty("org").GetProperty("id").GetGuid().ShouldBe(second);
        (await client.PatchAsync("/api/auth/me", null, Token).ShouldBe(200)).GetProperty("user").Text("name").ShouldBe("Grace");
        (await client.PatchAsync("/api/auth/me", JsonText.Content("""{"name":null}"""), Token).ShouldBe(200)).GetProperty("user").GetProperty("name").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task A_foreign_default_organisation_looks_like_an_unknown_one()
    {
        var foreign = await server.AddOrgAsync("foreign-me");
        using var owner = await server.LoginOwnerAsync();
        var answer = await owner.BodyAsync(HttpMethod.Patch, "/api/auth/me", $$"""{"defaultOrgId":"{{foreign}}"}""");
        answer.ShouldStartWith("404 ");
        (await owner.BodyAsync(HttpMethod.Patch, "/api/auth/me", $$"""{"defaultOrgId":"{{Guid.CreateVersion7()}}"}""")).ShouldBe(answer);
    }

    [Theory]
    [InlineData("""{"defaultOrgId":"x"}""", 422, "VALIDATION_ERROR", "defaultOrgId")]
    [InlineData("""{"defaultOrgId":null}""", 422, "VALIDATION_ERROR", "defaultOrgId")]
    [InlineData("""{"password":"123456789","currentPassword":"correct horse battery"}""", 422, "VALIDATION_ERROR", "password")]
    [InlineData("""{"password":null}""", 422, "VALIDATION_ERROR", "password")]
    [InlineData("""{"password":"long enough now"}""", 422, "VALIDATION_ERROR", "currentPassword")]
    [InlineData("""{"password":"long enough now","currentPassword":"wrong"}""", 401, "INVALID_CREDENTIALS")]
    [InlineData("""{"name":[]}""", 400, "INVALID_REQUEST")]
    public async Task Faulty_changes_say_what_is_wrong(string json, int status, string code, string? field = null)
    {
        using var owner = await server.LoginOwnerAsync();
        await owner.PatchAsync("/api/auth/me", JsonText.Content(json), Token).ShouldBeError(status, code, field);
        await server.TryLoginAsync(ServerFixture.OwnerEmail, ServerFixture.OwnerPassword).ShouldBe(200);
    }

    [Fact]
    public async Task A_new_password_ends_all_other_sessions()
    {
        await server.AddUserAsync("careful@example.com", (await server.FirstOrgAsync(), "viewer"));
        var other = await server.LoginAsync("careful@example.com");
        using var elsewhere = server.ClientFor(other.Text("access_token"));
        using var here = await server.ClientOfAsync("careful@example.com");
        var me = await here.PatchAsJsonAsync("/api/auth/me", new { password = "a better password", currentPassword = AccountWorld.Password }, Token).ShouldBe(200);
        me.ToString().ShouldNotContain("password");
        await elsewhere.MeAsync().ShouldBeError(401, "UNAUTHORIZED");
        await server.RefreshAsync(other.Text("refresh_token")).ShouldBeError(401, "UNAUTHORIZED");
        await here.MeAsync().ShouldBe(200);
        await server.TryLoginAsync("careful@example.com", AccountWorld.Password).ShouldBeError(401, "INVALID_CREDENTIALS");
        await server.TryLoginAsync("careful@example.com", "a better password").ShouldBe(200);
    }

    [Fact]
    public async Task Guessing_the_current_password_is_limited()
    {
        await using var own = await ServerFixture.StartAsync(settings => settings["Limits:LoginFailures"] = "2");
        using var owner = await own.LoginOwnerAsync();
        for (var i = 0; i < 2; i++) await Change("wrong").ShouldBeError(401, "INVALID_CREDENTIALS");
        await Change(ServerFixture.OwnerPassword).ShouldBeError(429, "RATE_LIMITED");

        Task<HttpResponseMessage> Change(string currentPassword) => owner.PatchAsJsonAsync("/api/auth/me", new { password = "a better password", currentPassword }, Token);
    }
}
