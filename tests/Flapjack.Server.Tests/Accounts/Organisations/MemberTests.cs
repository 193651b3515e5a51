using System.Net.Http.Json;
using System.Text.Json;

namespace Flapjack.Server.Tests.Accounts.Organisations;

public sealed class MemberTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Somebody_with_an_account_is_added_by_address_or_id_once()
    {
        var (home, org) = (await server.AddOrgAsync("home-of-members"), await NewOrgAsync("adding"));
        var bob = await server.AddUserAsync("bob.members@example.com", (home, "member"));
        using var owner = await server.ClientOfAsync(OwnerOf("adding"));
        var member = await owner.PostAsJsonAsync($"/api/orgs/{org}/members", new { email = "BOB.members@example.com" }, Token).ShouldBe(201);
        (member.GetProperty("user_id").GetGuid(), member.Text("role"), member.GetProperty("last_seen_at").ValueKind).ShouldBe((bob, "member", JsonValueKind.Null));
        await owner.PostAsJsonAsync($"/api/orgs/{org}/members", new { userId = bob, role = "admin" }, Token).ShouldBeError(409, "CONFLICT");
        await owner.PostAsJsonAsync($"/api/orgs/{org}/members", new { email = "nobody@example.com" }, Token).ShouldBeError(404, "NOT_FOUND");
        await owner.PostAsJsonAsync($"/api/orgs/{org}/members", new { userId = Guid.CreateVersion7() }, Token).ShouldBeError(404, "NOT_FOUND");
        await owner.PostAsJsonAsync($"/api/orgs/{org}/members", new { email = "x", role = "king" }, Token).ShouldBeError(422, "VALIDATION_ERROR", "role");
        await owner.PostAsJsonAsync($"/api/orgs/{org}/members", new { }, Token).ShouldBeError(422, "VALIDATION_ERROR", "email");

        // What Bob may do here counts from his next request on.
        using var client = await server.ClientOfAsync("bob.members@example.com");
        client.DefaultRequestHeaders.Add("X-Flapjack-Org", org.ToString());
        await client.PostAsJsonAsync("/api/agents", new { name = "Bob's" }, Token).ShouldBe(201);
        (await owner.PatchAsJsonAsync($"/api/orgs/{org}/members/{bob}", new { role = "viewer" }, Token).ShouldBe(200)).Text("role").ShouldBe("viewer");
        await client.PostAsJsonAsync("/api/agents", new { name = "Bob's" }, Token).ShouldBeError(403, "FORBIDDEN");
        (await client.GetAsync($"/api/orgs/{org}/members", Token).ShouldBe(200)).EnumerateArray().Select(m => m.Text("email")).ShouldBe(["bob.members@example.com", OwnerOf("adding")]);
        await owner.DeleteAsync($"/api/orgs/{org}/members/{bob}", Token).ShouldBe(200);
        await client.GetAsync("/api/agents", Token).ShouldBeError(404, "NOT_FOUND");
        await owner.DeleteAsync($"/api/orgs/{org}/members/{bob}", Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Admins_manage_everybody_but_owners()
    {
        var org = await NewOrgAsync("admins");
        var owner = await UserIdAsync(OwnerOf("admins"));
        var member = await server.AddUserAsync("plain.admins@example.com", (org, "member"));
        await server.AddUserAsync("admin.admins@example.com", (org, "admin"));
        using var admin = await server.ClientOfAsync("admin.admins@example.com");
        await admin.PatchAsJsonAsync($"/api/orgs/{org}/members/{member}", new { role = "admin" }, Token).ShouldBe(200);
        await admin.PatchAsJsonAsync($"/api/orgs/{org}/members/{member}", new { role = "owner" }, Token).ShouldBeError(403, "FORBIDDEN");
        await admin.PatchAsJsonAsync($"/api/orgs/{org}/members/{owner}", new { role = "member" }, Token).ShouldBeError(403, "FORBIDDEN");
        await admin.DeleteAsync($"/api/orgs/{org}/members/{owner}", Token).ShouldBeError(403, "FORBIDDEN");
        await admin.PostAsJsonAsync($"/api/orgs/{org}/members", new { email = ServerFixture.OwnerEmail, role = "owner" }, Token).ShouldBeError(403, "FORBIDDEN");
        await admin.PostAsJsonAsync($"/api/orgs/{org}/invites", new { role = "owner" }, Token).ShouldBeError(403, "FORBIDDEN");
        await admin.DeleteAsync($"/api/orgs/{org}/members/{member}", Token).ShouldBe(200);
        await admin.PatchAsJsonAsync($"/api/orgs/{org}/members/{owner}", new { }, Token).ShouldBeError(422, "VALIDATION_ERROR", "role");
    }

    [Fact]
    public async Task The_last_owner_stays_and_everybody_else_may_leave()
    {
        var org = await NewOrgAsync("last-owner");
        var ownerId = await UserIdAsync(OwnerOf("last-owner"));
        var viewerId = await server.AddUserAsync("viewer.last@example.com", (org, "viewer"));
        var secondId = await server.AddUserAsync("second.last@example.com", (org, "admin"));
        using var owner = await server.ClientOfAsync(OwnerOf("last-owner"));
        using var viewer = await server.ClientOfAsync("viewer.last@example.com");
        await owner.DeleteAsync($"/api/orgs/{org}/members/{ownerId}", Token).ShouldBeError(409, "CONFLICT");
        await owner.PatchAsJsonAsync($"/api/orgs/{org}/members/{ownerId}", new { role = "admin" }, Token).ShouldBeError(409, "CONFLICT");
        await viewer.DeleteAsync($"/api/orgs/{org}/members/{secondId}", Token).ShouldBeError(403, "FORBIDDEN");
        await viewer.DeleteAsync($"/api/orgs/{org}/members/{viewerId}", Token).ShouldBe(200);

        await owner.PatchAsJsonAsync($"/api/orgs/{org}/members/{secondId}", new { role = "owner" }, Token).ShouldBe(200);
        using var second = await server.ClientOfAsync("second.last@example.com");
        // Each removes the other at the same moment: one of them stays.
        var answers = await Task.WhenAll(owner.DeleteAsync($"/api/orgs/{org}/members/{ownerId}", Token), second.DeleteAsync($"/api/orgs/{org}/members/{secondId}", Token));
        answers.Select(a => (int)a.StatusCode).Order().ShouldBe([200, 409]);
    }

    [Fact]
    public async Task A_login_link_works_once_and_until_it_ends()
    {
        var org = await NewOrgAsync("links");
        var user = await server.AddUserAsync("forgetful@example.com", (org, "member"));
        using var owner = await server.ClientOfAsync(OwnerOf("links"));
        var link = await owner.PostAsJsonAsync($"/api/orgs/{org}/members/{user}/login-link", new { expires_in_hours = 2 }, Token).ShouldBe(201);
        var token = System.Text.RegularExpressions.Regex.Match(link.Text("url"), @"/login\?token=([A-Za-z0-9_-]{43})$").Groups[1].Value;
        link.GetProperty("expires_at").GetDateTime().ShouldBe(server.Time.GetUtcNow().UtcDateTime.AddHours(2), TimeSpan.FromSeconds(1));
        (await LinkLogin(token).ShouldBe(200)).GetProperty("user").GetProperty("id").GetGuid().ShouldBe(user);
        await LinkLogin(token).ShouldBeError(401, "INVALID_CREDENTIALS");
        foreach (var hours in new[] { 0, 169 }) await owner.PostAsJsonAsync($"/api/orgs/{org}/members/{user}/login-link", new { expiresInHours = hours }, Token).ShouldBeError(422, "VALIDATION_ERROR", "expiresInHours");
        await owner.PostAsJsonAsync($"/api/orgs/{org}/members/{Guid.CreateVersion7()}/login-link", new { }, Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Whoever_came_by_a_link_sets_a_password_without_the_lost_one_and_once()
    {
        var org = await NewOrgAsync("lost");
        var user = await server.AddUserAsync("lost@example.com", (org, "member"));
        using var owner = await server.ClientOfAsync(OwnerOf("lost"));
        using var earlier = await server.ClientOfAsync("lost@example.com");
        await earlier.PatchAsJsonAsync("/api/auth/me", new { password = "a new long password" }, Token).ShouldBeError(422, "VALIDATION_ERROR", "currentPassword");
        var link = await owner.PostAsJsonAsync($"/api/orgs/{org}/members/{user}/login-link", new { }, Token).ShouldBe(201);
        var session = await LinkLogin(link.Text("url").Split("token=")[1]).ShouldBe(200);
        session = await server.Anonymous.PostAsJsonAsync("/api/auth/refresh", new { refreshToken = session.Text("refresh_token") }, Token).ShouldBe(200);
        using var client = server.ClientFor(session.Text("access_token"));
        await client.PatchAsJsonAsync("/api/auth/me", new { password = "a new long password" }, Token).ShouldBe(200);
        await server.Anonymous.PostAsJsonAsync("/api/auth/login", new { email = "lost@example.com", password = "a new long password" }, Token).ShouldBe(200);
        // The other sessions have ended, and this one proves itself like any other from now on.
        await earlier.GetAsync("/api/auth/me", Token).ShouldBeError(401, "UNAUTHORIZED");
        await client.PatchAsJsonAsync("/api/auth/me", new { password = "another long password" }, Token).ShouldBeError(422, "VALIDATION_ERROR", "currentPassword");
    }

    [Fact]
    public async Task Nobody_gets_a_link_into_an_organisation_that_they_do_not_administer()
    {
        var (org, elsewhere) = (await NewOrgAsync("link-rights"), await server.AddOrgAsync("link-elsewhere"));
        var ownerId = await UserIdAsync(OwnerOf("link-rights"));
        await server.AddUserAsync("admin.rights@example.com", (org, "admin"));
        var victim = await server.AddUserAsync("victim@example.com", (elsewhere, "viewer"));
        var rising = await server.AddUserAsync("rising@example.com", (org, "member"));
        using var owner = await server.ClientOfAsync(OwnerOf("link-rights"));
        using var admin = await server.ClientOfAsync("admin.rights@example.com");
        await admin.PostAsJsonAsync($"/api/orgs/{org}/members/{ownerId}/login-link", new { }, Token).ShouldBeError(403, "FORBIDDEN");
        // Adding a stranger to one's own organisation must not open theirs.
        await owner.PostAsJsonAsync($"/api/orgs/{org}/members", new { userId = victim }, Token).ShouldBe(201);
        await owner.PostAsJsonAsync($"/api/orgs/{org}/members/{victim}/login-link", new { }, Token).ShouldBeError(403, "FORBIDDEN");
        // Nor must a link outlive the right to make it.
        var url = (await admin.PostAsJsonAsync($"/api/orgs/{org}/members/{rising}/login-link", new { }, Token).ShouldBe(201)).Text("url");
        await owner.PatchAsJsonAsync($"/api/orgs/{org}/members/{rising}", new { role = "owner" }, Token).ShouldBe(200);
        await LinkLogin(url.Split("token=")[1]).ShouldBeError(401, "INVALID_CREDENTIALS");
    }

    [Fact]
    public async Task Invites_are_listed_without_their_token_and_can_be_taken_back()
    {
        var org = await NewOrgAsync("inviting");
        using var owner = await server.ClientOfAsync(OwnerOf("inviting"));
        var invite = await owner.PostAsJsonAsync($"/api/orgs/{org}/invites", new { email = "New@example.com", role = "admin", expiresInHours = 1 }, Token).ShouldBe(201);
        (invite.Text("email"), invite.Text("role"), invite.GetProperty("created_by").GetGuid()).ShouldBe(("new@example.com", "admin", await UserIdAsync(OwnerOf("inviting"))));
        var listed = await owner.GetAsync($"/api/orgs/{org}/invites", Token).ShouldBe(200);
        listed.GetArrayLength().ShouldBe(1);
        listed.ToString().ShouldNotContain(invite.Text("token"));
        listed[0].TryGetProperty("token", out _).ShouldBeFalse();
        await owner.DeleteAsync($"/api/orgs/{org}/invites/{invite.Text("id")}", Token).ShouldBe(200);
        await owner.DeleteAsync($"/api/orgs/{org}/invites/{invite.Text("id")}", Token).ShouldBeError(404, "NOT_FOUND");
        await SignUp(invite.Text("token")).ShouldBeError(422, "VALIDATION_ERROR", "inviteToken");

        var brief = await owner.PostAsJsonAsync($"/api/orgs/{org}/invites", new { expiresInHours = 1 }, Token).ShouldBe(201);
        server.Time.Advance(TimeSpan.FromMinutes(61));
        await SignUp(brief.Text("token")).ShouldBeError(422, "VALIDATION_ERROR", "inviteToken");
        using var again = await server.ClientOfAsync(OwnerOf("inviting"));
        (await again.GetAsync($"/api/orgs/{org}/invites", Token).ShouldBe(200)).GetArrayLength().ShouldBe(0);
        foreach (var (json, field) in new[] { ("""{"role":"boss"}""", "role"), ("""{"email":"no"}""", "email"), ("""{"expiresInHours":0}""", "expiresInHours") })
            await again.PostAsync($"/api/orgs/{org}/invites", JsonText.Content(json), Token).ShouldBeError(422, "VALIDATION_ERROR", field);

        Task<HttpResponseMessage> SignUp(string token) => server.Anonymous.PostAsJsonAsync("/api/auth/signup", new { email = "new@example.com", password = "a long password", inviteToken = token }, Token);
    }

    private Task<HttpResponseMessage> LinkLogin(string oneTimeToken) => server.Anonymous.PostAsJsonAsync("/api/auth/login", new { oneTimeToken }, Token);

    private async Task<Guid> NewOrgAsync(string slug)
    {
        var org = await server.AddOrgAsync(slug);
        await server.AddUserAsync(OwnerOf(slug), (org, "owner"));
        return org;
    }

    private async Task<Guid> UserIdAsync(string email) => (await server.LoginAsync(email)).GetProperty("user").GetProperty("id").GetGuid();

    private static string OwnerOf(string slug) => $"owner@{slug}.example.com";
}
