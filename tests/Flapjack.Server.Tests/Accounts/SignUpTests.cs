using System.Net.Http.Json;

namespace Flapjack.Server.Tests.Accounts;

public sealed class SignUpTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task In_open_mode_a_new_person_owns_a_new_organisation()
    {
        await using var server = await ServerIn("open");
        var session = await SignUp(server, new { email = " Ada@Example.com ", password = "a long password", name = "Ada", orgName = "Ada's Works" }).ShouldBe(201);
        session.GetProperty("user").Text("email").ShouldBe("ada@example.com");
        session.GetProperty("org").Text("name").ShouldBe("Ada's Works");
        session.GetProperty("org").Text("slug").ShouldBe("ada-s-works");
        session.GetProperty("org").Text("role").ShouldBe("owner");
        (session.Text("token_type"), session.GetProperty("expires_in").GetInt32()).ShouldBe(("Bearer", 900));

        using var ada = server.ClientFor(session.Text("access_token"));
        (await ada.GetAsync("/api/agents", Token).ShouldBe(200)).GetArrayLength().ShouldBe(0);
        await ada.PostAsJsonAsync("/api/keys", new { name = "mine" }, Token).ShouldBe(201);
        await server.RefreshAsync(session.Text("refresh_token")).ShouldBe(200);
        (await server.LoginAsync("ada@example.com", "a long password")).GetProperty("org").Text("slug").ShouldBe("ada-s-works");

        // A second one with the same names gets a slug of its own.
        var other = await SignUp(server, new { email = "b@example.com", password = "a long password", org_name = "Ada's Works" }).ShouldBe(201);
        other.GetProperty("org").Text("slug").ShouldMatch("^ada-s-works-[a-z0-9]{6}$");
        (await SignUp(server, new { email = "grace@example.com", password = "a long password" }).ShouldBe(201)).GetProperty("org").Text("name").ShouldBe("grace");
        await SignUp(server, new { email = "ADA@example.com", password = "a long password" }).ShouldBeError(409, "CONFLICT");
    }

    [Fact]
    public async Task In_invite_mode_an_invite_opens_the_door_once()
    {
        await using var server = await ServerIn("invite");
        using var owner = await server.LoginOwnerAsync();
        var org = await server.FirstOrgAsync();
        var invite = await owner.PostAsJsonAsync($"/api/orgs/{org}/invites", new { email = "Bob@example.com", role = "viewer" }, Token).ShouldBe(201);
        var token = invite.Text("token");
        invite.Text("url").ShouldEndWith("/signup?invite=" + token);

        await SignUp(server, new { email = "bob@example.com", password = "a long password" }).ShouldBeError(403, "SIGNUP_DISABLED");
        await SignUp(server, new { email = "bob@example.com", password = "a long password", inviteToken = "nonsense" }).ShouldBeError(422, "VALIDATION_ERROR", "inviteToken");
        await SignUp(server, new { email = "eve@example.com", password = "a long password", inviteToken = token }).ShouldBeError(422, "VALIDATION_ERROR", "inviteToken");
        var session = await SignUp(server, new { email = "bob@example.com", password = "a long password", inviteToken = token, orgName = "ignored" }).ShouldBe(201);
        session.GetProperty("org").GetProperty("id").GetGuid().ShouldBe(org);
        session.GetProperty("org").Text("role").ShouldBe("viewer");
        await SignUp(server, new { email = "bob2@example.com", password = "a long password", inviteToken = token }).ShouldBeError(422, "VALIDATION_ERROR", "inviteToken");
        (await owner.GetAsync($"/api/orgs/{org}/invites", Token).ShouldBe(200)).GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Two_sign_ups_with_one_invite_at_once_let_one_person_in()
    {
        await using var server = await ServerIn("invite");
        using var owner = await server.LoginOwnerAsync();
        var org = await server.FirstOrgAsync();
        var token = (await owner.PostAsJsonAsync($"/api/orgs/{org}/invites", new { }, Token).ShouldBe(201)).Text("token");
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => SignUp(server, new { email = $"racer{i}@example.com", password = "a long password", inviteToken = token })));
        answers.Select(a => (int)a.StatusCode).Order().ShouldBe([201, 422, 422, 422]);
        (await owner.GetAsync($"/api/orgs/{org}/members", Token).ShouldBe(200)).GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task In_closed_mode_not_even_an_invite_helps()
    {
        await using var server = await ServerIn("closed");
        using var owner = await server.LoginOwnerAsync();
        var token = (await owner.PostAsJsonAsync($"/api/orgs/{await server.FirstOrgAsync()}/invites", new { }, Token).ShouldBe(201)).Text("token");
        await SignUp(server, new { email = "bob@example.com", password = "a long password", inviteToken = token }).ShouldBeError(403, "SIGNUP_DISABLED");
        (await server.Anonymous.GetAsync("/api/version", Token).ShouldBe(200)).GetProperty("features").Text("signup").ShouldBe("closed");
    }

    [Fact]
    public async Task Faulty_sign_ups_say_what_is_wrong()
    {
        await using var server = await ServerIn("open", settings => settings["Limits:LoginFailures"] = "2");
        foreach (var (json, field) in new[]
        {
            ("{}", "email"), ("""{"email":"a@b.c"}""", "password"), ("""{"email":"a@b.c","password":"123456789"}""", "password"), ("""{"email":"nobody","password":"1234567890"}""", "email"),
            ("""{"email":"a b@c.d","password":"1234567890"}""", "email"), ("""{"email":"@c.d","password":"1234567890"}""", "email"),
        })
        {
            await server.Anonymous.PostAsync("/api/auth/signup", JsonText.Content(json), Token).ShouldBeError(422, "VALIDATION_ERROR", field);
        }
        // Whoever tries out invites or addresses is held to the limit of those who try out passwords.
        await SignUp(server, new { email = ServerFixture.OwnerEmail, password = "a long password" }).ShouldBeError(409, "CONFLICT");
        await SignUp(server, new { email = "x@example.com", password = "a long password", inviteToken = "guess" }).ShouldBeError(422, "VALIDATION_ERROR", "inviteToken");
        await SignUp(server, new { email = "y@example.com", password = "a long password" }).ShouldBeError(429, "RATE_LIMITED");
    }

    private static Task<ServerFixture> ServerIn(string mode, Action<IDictionary<string, string?>>? settings = null) => ServerFixture.StartAsync(all =>
    {
        all["Auth:SignupMode"] = mode;
        settings?.Invoke(all);
    });

    private static Task<HttpResponseMessage> SignUp(ServerFixture server, object body) => server.Anonymous.PostAsJsonAsync("/api/auth/signup", body, Token);
}
