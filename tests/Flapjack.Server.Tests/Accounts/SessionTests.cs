using System.Net.Http.Json;
using System.Text.Json;
using Flapjack.Server.Accounts.Credentials;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Accounts;

public sealed class SessionTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Login_gives_a_session_with_user_and_organisation()
    {
        var session = await server.LoginAsync();
        session.Text("token_type").ShouldBe("Bearer");
        session.GetProperty("expires_in").GetInt32().ShouldBe(900);
        session.GetProperty("user").Text("email").ShouldBe(ServerFixture.OwnerEmail);
        session.GetProperty("org").Text("slug").ShouldBe("default");
        session.GetProperty("org").Text("role").ShouldBe("owner");
        using var client = server.ClientFor(session.Text("access_token"));
        var me = await client.MeAsync().ShouldBe(200);
        me.Text("kind").ShouldBe("user");
        me.GetProperty("orgs")[0].GetProperty("is_default").GetBoolean().ShouldBeTrue();
        me.GetProperty("key").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task An_email_is_found_in_any_case()
    {
        await server.TryLoginAsync(" OWNER@Example.com ", ServerFixture.OwnerPassword).ShouldBe(200);
    }

    [Fact]
    public async Task Wrong_password_and_unknown_email_get_the_same_answer()
    {
        var wrong = await server.Anonymous.BodyAsync(HttpMethod.Post, "/api/auth/login", """{"email":"owner@example.com","password":"wrong password"}""");
        wrong.ShouldStartWith("401 ");
        wrong.ShouldContain("INVALID_CREDENTIALS");
        (await server.Anonymous.BodyAsync(HttpMethod.Post, "/api/auth/login", """{"email":"nobody@example.com","password":"wrong password"}""")).ShouldBe(wrong);
        (await server.Anonymous.BodyAsync(HttpMethod.Post, "/api/auth/login", """{"oneTimeToken":"nothing"}""")).ShouldBe(wrong);
    }

    [Theory]
    [InlineData("{}", 422, "VALIDATION_ERROR", "email")]
    [InlineData("""{"email":"owner@example.com"}""", 422, "VALIDATION_ERROR", "password")]
    [InlineData("""{"email":"owner@example.com","password":null}""", 422, "VALIDATION_ERROR", "password")]
    [InlineData("""{"email":5,"password":"x"}""", 400, "INVALID_REQUEST")]
    [InlineData("[]", 400, "INVALID_REQUEST")]
    public async Task Faulty_logins_say_what_is_wrong(string json, int status, string code, string? field = null) =>
        await server.Anonymous.PostAsync("/api/auth/login", JsonText.Content(json), Token).ShouldBeError(status, code, field);

    [Fact]
    public async Task A_login_link_works_once_and_for_a_day()
    {
        var token = await server.AddLinkAsync(ServerFixture.OwnerEmail);
        token.ShouldMatch("^[A-Za-z0-9_-]{43}$");
        await LoginWithLink(token).ShouldBe(200);
        await LoginWithLink(token).ShouldBeError(401, "INVALID_CREDENTIALS");

        var late = await server.AddLinkAsync(ServerFixture.OwnerEmail);
        server.Time.Advance(TimeSpan.FromHours(24));
        await LoginWithLink(late).ShouldBeError(401, "INVALID_CREDENTIALS");
    }

    [Fact]
    public async Task Of_many_simultaneous_uses_of_a_link_one_succeeds()
    {
        var token = await server.AddLinkAsync(ServerFixture.OwnerEmail);
        var responses = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => LoginWithLink(token)));
        responses.Select(r => (int)r.StatusCode).Order().ShouldBe([200, .. Enumerable.Repeat(401, 11)]);
        foreach (var response in responses) response.Dispose();
    }

    [Fact]
    public async Task Refreshing_gives_new_tokens_and_keeps_the_session()
    {
        var first = await server.LoginAsync();
        var second = await server.RefreshAsync(first.Text("refresh_token")).ShouldBe(200);
        second.Text("refresh_token").ShouldNotBe(first.Text("refresh_token"));
        second.GetProperty("user").Text("email").ShouldBe(ServerFixture.OwnerEmail);
        using var client = server.ClientFor(second.Text("access_token"));
        await client.MeAsync().ShouldBe(200);
        await server.RefreshAsync(second.Text("refresh_token")).ShouldBe(200);
    }

    [Fact]
    public async Task A_refresh_token_used_twice_ends_the_session_and_its_access_tokens()
    {
        var first = await server.LoginAsync();
        var second = await server.RefreshAsync(first.Text("refresh_token")).ShouldBe(200);
        using var client = server.ClientFor(second.Text("access_token"));
        var cut = 0;
        using var running = server.Services.GetRequiredService<Revocations>().OnRevoked(SessionOf(second.Text("access_token")), () => cut++);

        await server.RefreshAsync(first.Text("refresh_token")).ShouldBeError(401, "UNAUTHORIZED");
        cut.ShouldBe(1);
        await client.MeAsync().ShouldBeError(401, "UNAUTHORIZED");
        await server.RefreshAsync(second.Text("refresh_token")).ShouldBeError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task Of_two_simultaneous_refreshes_at_most_one_succeeds_and_the_session_ends()
    {
        var session = await server.LoginAsync();
        var responses = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => server.RefreshAsync(session.Text("refresh_token"))));
        responses.Count(r => (int)r.StatusCode == 200).ShouldBeLessThanOrEqualTo(1);
        responses.ShouldAllBe(r => (int)r.StatusCode == 200 || (int)r.StatusCode == 401);
        foreach (var response in responses) response.Dispose();
        using var client = server.ClientFor(session.Text("access_token"));
        await client.MeAsync().ShouldBeError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task An_invented_refresh_token_does_not_end_the_session_it_names()
    {
        var session = await server.LoginAsync();
        var bytes = System.Buffers.Text.Base64Url.DecodeFromChars(session.Text("refresh_token"));
        bytes[20] ^= 1;
        await server.RefreshAsync(System.Buffers.Text.Base64Url.EncodeToString(bytes)).ShouldBeError(401, "UNAUTHORIZED");
        await server.RefreshAsync("short").ShouldBeError(401, "UNAUTHORIZED");
        await server.RefreshAsync("").ShouldBeError(422, "VALIDATION_ERROR", "refreshToken");
        await server.RefreshAsync(session.Text("refresh_token")).ShouldBe(200);
    }

    [Fact]
    public async Task A_session_not_refreshed_for_30_days_is_over()
    {
        var kept = await server.LoginAsync();
        var lost = await server.LoginAsync();
        server.Time.Advance(TimeSpan.FromDays(29));
        kept = await server.RefreshAsync(kept.Text("refresh_token")).ShouldBe(200);
        server.Time.Advance(TimeSpan.FromDays(1));
        await server.RefreshAsync(kept.Text("refresh_token")).ShouldBe(200);
        await server.RefreshAsync(lost.Text("refresh_token")).ShouldBeError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task Logout_ends_this_session_or_all()
    {
        await server.AddUserAsync("leaver@example.com", (await server.FirstOrgAsync(), "viewer"));
        var (first, second, third) = (await server.LoginAsync("leaver@example.com"), await server.LoginAsync("leaver@example.com"), await server.LoginAsync("leaver@example.com"));
        using var one = server.ClientFor(first.Text("access_token"));
        using var two = server.ClientFor(second.Text("access_token"));
        using var three = server.ClientFor(third.Text("access_token"));
        (await one.PostAsync("/api/auth/logout", null, Token).ShouldBe(200)).ToString().ShouldBe("""{"ok":true}""");
        await one.MeAsync().ShouldBeError(401, "UNAUTHORIZED");
        await server.RefreshAsync(first.Text("refresh_token")).ShouldBeError(401, "UNAUTHORIZED");
        await two.MeAsync().ShouldBe(200);
        await two.PostAsJsonAsync("/api/auth/logout", new { everywhere = true }, Token).ShouldBe(200);
        await three.MeAsync().ShouldBeError(401, "UNAUTHORIZED");
        using var owner = await server.LoginOwnerAsync();
        await owner.MeAsync().ShouldBe(200);
        await server.Client.PostAsync("/api/auth/logout", null, Token).ShouldBeError(403, "FORBIDDEN");
    }

    [Fact]
    public async Task Roles_are_read_on_every_request()
    {
        var id = await server.AddUserAsync("mover@example.com", (await server.FirstOrgAsync(), "admin"));
        using var client = await server.ClientOfAsync("mover@example.com");
        await client.GetAsync("/api/keys", Token).ShouldBe(200);
        await server.SetRoleAsync(id, "viewer");
        await client.GetAsync("/api/keys", Token).ShouldBeError(403, "FORBIDDEN");
        await server.SetRoleAsync(id, null);
        await client.GetAsync("/api/keys", Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Last_seen_is_noted_once_a_minute()
    {
        var id = await server.AddUserAsync("visitor@example.com", (await server.FirstOrgAsync(), "viewer"));
        using var client = await server.ClientOfAsync("visitor@example.com");
        var login = server.Time.GetUtcNow();
        server.Time.Advance(TimeSpan.FromSeconds(59));
        await client.MeAsync().ShouldBe(200);
        (await SeenAsync(id)).ShouldBe(login);
        server.Time.Advance(TimeSpan.FromSeconds(2));
        await client.MeAsync().ShouldBe(200);
        (await SeenAsync(id)).ShouldBe(server.Time.GetUtcNow());
    }

    [Fact]
    public async Task What_has_run_out_is_cleared_away()
    {
        await server.AddUserAsync("gone@example.com", (await server.FirstOrgAsync(), "viewer"));
        var user = (await server.LoginAsync("gone@example.com")).GetProperty("user").GetProperty("id").GetGuid();
        await server.AddLinkAsync("gone@example.com");
        var sweep = server.Services.GetServices<IHousekeepingTask>().OfType<SessionSweep>().Single();
        await using var db = server.Database();
        await sweep.RunAsync(Token);
        (await db.Sessions.CountAsync(s => s.UserId == user, Token), await db.LoginLinks.CountAsync(l => l.UserId == user, Token)).ShouldBe((1, 1));
        server.Time.Advance(TimeSpan.FromDays(30));
        await sweep.RunAsync(Token);
        (await db.Sessions.CountAsync(s => s.UserId == user, Token), await db.LoginLinks.CountAsync(l => l.UserId == user, Token)).ShouldBe((0, 0));
    }

    private async Task<DateTimeOffset> SeenAsync(Guid userId)
    {
        await using var db = server.Database();
        return (await db.Users.FirstAsync(u => u.Id == userId, Token)).LastSeenAt!.Value;
    }

    private Task<HttpResponseMessage> LoginWithLink(string oneTimeToken) => server.Anonymous.PostAsJsonAsync("/api/auth/login", new { oneTimeToken }, Token);

    private static Guid SessionOf(string accessToken) =>
        JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(accessToken.Split('.')[1])).RootElement.GetProperty("sid").GetGuid();
}
