using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Flapjack.Server.Platform.Settings;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;

namespace Flapjack.Server.Tests.Accounts.External;

/// <summary>Tokens of other issuers: which are believed, and who stands behind them here.</summary>
public sealed class IssuerTests : IAsyncLifetime
{
    private FakeIssuer _issuer = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _issuer = await FakeIssuer.StartAsync();

    public ValueTask DisposeAsync() => _issuer.DisposeAsync();

    [Fact]
    public async Task Tokens_of_every_supported_kind_open_the_account_of_their_person()
    {
        await using var server = await TrustingAsync(("AutoProvision", "true"), ("DefaultOrg", "default"));
        Guid? first = null;
        foreach (var algorithm in new[] { "RS256", "PS256", "ES256", "EdDSA" })
        {
            server.Time.Advance(TimeSpan.FromSeconds(31));
            var token = _issuer.Publish(algorithm, algorithm).Token(_issuer.Claims(server.Time, "ada", claims => claims["name"] = "Ada"));
            using var client = server.ClientFor(token);
            var me = await client.MeAsync().ShouldBe(200);
            me.GetProperty("user").Text("email").ShouldBe("ada@example.com");
            me.GetProperty("user").Text("name").ShouldBe("Ada");
            me.GetProperty("orgs")[0].Text("role").ShouldBe("member");
            (first ??= me.GetProperty("user").GetProperty("id").GetGuid()).ShouldBe(me.GetProperty("user").GetProperty("id").GetGuid());
            await client.PostAsJsonAsync("/api/agents", new { name = "hers" }, Token).ShouldBe(201);
        }
        (await server.Anonymous.GetAsync("/api/version", Token).ShouldBe(200)).GetProperty("features").GetProperty("oidc").EnumerateArray().Select(i => i.GetString()).ShouldBe([_issuer.Address]);
    }

    [Fact]
    public async Task Tokens_that_prove_nothing_are_refused()
    {
        await using var server = await TrustingAsync(("AutoProvision", "true"), ("DefaultOrg", "default"));
        var signer = _issuer.Publish("ES256", "good");
        var now = server.Time.GetUtcNow().ToUnixTimeSeconds();
        foreach (var (what, change) in new (string, Action<JsonObject>)[]
        {
            ("audience", c => c["aud"] = "others"), ("no audience", c => c.Remove("aud")), ("issuer", c => c["iss"] = "https://elsewhere.example.com"), ("issuer with a slash", c => c["iss"] = _issuer.Address + "/"),
            ("expired", c => c["exp"] = now - 61), ("no expiry", c => c.Remove("exp")), ("not yet", c => c["nbf"] = now + 61), ("from the future", c => c["iat"] = now + 61), ("nobody", c => c.Remove("sub")),
        })
        {
            (await StatusAsync(server, signer.Token(_issuer.Claims(server.Time, "eve", change)))).ShouldBe(401, what);
        }
        foreach (var (what, change) in new (string, Action<JsonObject>)[] { ("just over", c => c["exp"] = now - 59), ("clock ahead", c => { c["iat"] = now + 59; c["nbf"] = now + 59; }), ("one of several", c => c["aud"] = new JsonArray("others", FakeIssuer.Audience)) })
            (await StatusAsync(server, signer.Token(_issuer.Claims(server.Time, "ada", change)))).ShouldBe(200, what);

        var good = _issuer.Claims(server.Time, "eve");
        (await StatusAsync(server, Signer.None.Token(good))).ShouldBe(401, "unsigned");
        (await StatusAsync(server, Signer.Shared(_issuer.Address).Token(good))).ShouldBe(401, "a secret where keys are asked for");
        (await StatusAsync(server, (Signer.Create("ES256", "good") with { KeyId = "good" }).Token(good))).ShouldBe(401, "another's key under a known id");
        var parts = signer.Token(good).Split('.');
        (await StatusAsync(server, $"{parts[0]}.{signer.Token(_issuer.Claims(server.Time, "ada")).Split('.')[1]}.{parts[2]}")).ShouldBe(401, "claims exchanged");
    }

    [Fact]
    public async Task A_shared_secret_works_alone_and_only_with_its_own_kind_of_signature()
    {
        await using var server = await TrustingAsync(("SharedSecret", FakeIssuer.Secret), ("AutoProvision", "true"), ("DefaultOrg", "default"), ("DefaultRole", "viewer"));
        (await StatusAsync(server, Signer.Shared(FakeIssuer.Secret).Token(_issuer.Claims(server.Time, "sue", c => c.Remove("email_verified"))))).ShouldBe(200);
        (await StatusAsync(server, Signer.Shared(FakeIssuer.Secret + "!").Token(_issuer.Claims(server.Time, "sue")))).ShouldBe(401);
        (await StatusAsync(server, _issuer.Publish("RS256", "rsa").Token(_issuer.Claims(server.Time, "sue")))).ShouldBe(401);
        _issuer.KeyRequests.ShouldBe(0);
    }

    [Fact]
    public async Task New_keys_are_found_and_invented_ones_ask_the_issuer_seldom()
    {
        await using var server = await TrustingAsync(("AutoProvision", "true"), ("DefaultOrg", "default"));
        var old = _issuer.Publish("ES256", "old");
        (await StatusAsync(server, old.Token(_issuer.Claims(server.Time, "ada")))).ShouldBe(200);
        _issuer.KeyRequests.ShouldBe(1);
        var next = _issuer.Publish("ES256", "next");
        (await StatusAsync(server, next.Token(_issuer.Claims(server.Time, "ada")))).ShouldBe(401, "asked a moment ago");
        server.Time.Advance(TimeSpan.FromSeconds(31));
        (await StatusAsync(server, next.Token(_issuer.Claims(server.Time, "ada")))).ShouldBe(200);
        _issuer.KeyRequests.ShouldBe(2);
        server.Time.Advance(TimeSpan.FromSeconds(31));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async i => (await StatusAsync(server, Signer.Create("ES256", $"invented {i}").Token(_issuer.Claims(server.Time, "eve")))).ShouldBe(401)));
        _issuer.KeyRequests.ShouldBe(3);

        // What is known outlives an issuer that is away or answers nonsense.
        _issuer.IsDown = true;
        server.Time.Advance(TimeSpan.FromMinutes(11));
        (await StatusAsync(server, next.Token(_issuer.Claims(server.Time, "ada")))).ShouldBe(200);
    }

    [Fact]
    public async Task An_issuer_that_cannot_be_asked_is_an_outage_and_not_a_wrong_token()
    {
        await using var server = await TrustingAsync();
        var signer = _issuer.Publish("ES256", "k");
        var token = signer.Token(_issuer.Claims(server.Time, "ada"));
        using var client = server.ClientFor(token);
        var address = _issuer.Address;
        foreach (var breakIt in new Action[] { () => _issuer.IsDown = true, () => (_issuer.IsDown, _issuer.Answer) = (false, new string(' ', 300_000) + "{}"), () => _issuer.Answer = "no json", () => (_issuer.Answer, _issuer.JwksUri) = (null, address.Replace("127.0.0.1", "localhost.example.com", StringComparison.Ordinal)) })
        {
            breakIt();
            server.Time.Advance(TimeSpan.FromSeconds(31));
            (await client.MeAsync().ShouldBeError(503, "SERVICE_UNAVAILABLE")).ToString().ShouldNotContain(address);
        }
        _issuer.JwksUri = null;
        server.Time.Advance(TimeSpan.FromSeconds(31));
        await client.MeAsync().ShouldBeError(403, "FORBIDDEN");
    }

    [Fact]
    public async Task People_are_matched_by_a_verified_address_once_and_by_their_subject_from_then_on()
    {
        await using var server = await TrustingAsync();
        var signer = _issuer.Publish("ES256", "k");
        var org = await server.FirstOrgAsync();
        var ada = await server.AddUserAsync("ada@example.com", (org, "admin"));
        (await StatusAsync(server, signer.Token(_issuer.Claims(server.Time, "ada", c => c["email_verified"] = false)))).ShouldBe(403);
        (await StatusAsync(server, signer.Token(_issuer.Claims(server.Time, "ada", c => c.Remove("email_verified"))))).ShouldBe(403);
        (await StatusAsync(server, signer.Token(_issuer.Claims(server.Time, "unknown")))).ShouldBe(403);
        using var client = server.ClientFor(signer.Token(_issuer.Claims(server.Time, "ada")));
        (await client.MeAsync().ShouldBe(200)).GetProperty("user").GetProperty("id").GetGuid().ShouldBe(ada);
        using var renamed = server.ClientFor(signer.Token(_issuer.Claims(server.Time, "ada", c => { c["email"] = "other@example.com"; c.Remove("email_verified"); })));
        (await renamed.MeAsync().ShouldBe(200)).GetProperty("user").GetProperty("id").GetGuid().ShouldBe(ada);

        // Roles are those of the database, at once.
        await renamed.GetAsync("/api/keys", Token).ShouldBe(200);
        await server.SetRoleAsync(ada, "viewer");
        await renamed.GetAsync("/api/keys", Token).ShouldBeError(403, "FORBIDDEN");
    }

    [Fact]
    public async Task An_address_that_nobody_confirmed_opens_no_account()
    {
        await using var server = await TrustingAsync(("AutoProvision", "true"), ("DefaultOrg", "default"));
        await server.RestartAsync(settings => settings["Auth:SignupMode"] = "open");
        await server.Anonymous.PostAsJsonAsync("/api/auth/signup", new { email = "victim@example.com", password = "an attacker's choice" }, Token).ShouldBe(201);
        var token = _issuer.Publish("ES256", "k").Token(_issuer.Claims(server.Time, "victim"));
        (await StatusAsync(server, token)).ShouldBe(403);
    }

    [Fact]
    public async Task Logout_and_revocation_hold_for_the_token_at_once()
    {
        await using var server = await TrustingAsync(("AutoProvision", "true"), ("DefaultOrg", "default"));
        var signer = _issuer.Publish("ES256", "k");
        var (one, two) = (signer.Token(_issuer.Claims(server.Time, "ada")), signer.Token(_issuer.Claims(server.Time, "ada")));
        using var first = server.ClientFor(one);
        using var second = server.ClientFor(two);
        await first.MeAsync().ShouldBe(200);
        await second.MeAsync().ShouldBe(200);
        await first.PostAsync("/api/auth/logout", null, Token).ShouldBe(200);
        await first.MeAsync().ShouldBeError(401, "UNAUTHORIZED");
        await second.MeAsync().ShouldBe(200);
        await second.PostAsJsonAsync("/api/auth/logout", new { everywhere = true }, Token).ShouldBe(200);
        await second.MeAsync().ShouldBeError(401, "UNAUTHORIZED");
        (await StatusAsync(server, signer.Token(_issuer.Claims(server.Time, "ada")))).ShouldBe(200, "the issuer may log the person in again");
    }

    [Fact]
    public async Task Mapped_organisation_and_role_are_read_again_with_each_new_token()
    {
        await using var server = await TrustingAsync(("AutoProvision", "true"), ("RoleClaim", "realm_access.roles"), ("OrgClaim", "https://example.com/org.name"), ("DefaultOrg", "default"), ("EmailClaim", "mail"));
        var signer = _issuer.Publish("ES256", "k");
        var second = await server.AddOrgAsync("second");
        await RolesAsync(["nonsense", "viewer", "ADMIN"], "second").ShouldBeAsync("second admin");
        await RolesAsync(["viewer"], "second").ShouldBeAsync("second viewer");
        await RolesAsync([], "second").ShouldBeAsync("second viewer", "a token without a role changes none");
        await RolesAsync(["owner"], null).ShouldBeAsync("default owner, second viewer");
        await RolesAsync(["member"], second.ToString()).ShouldBeAsync("default owner, second member");
        await RolesAsync(["member"], "nowhere").ShouldBeAsync("default owner, second member", "an unknown organisation gives nothing");
        // Whoever is the last owner stays it, whatever the issuer says.
        await using (var db = server.Database()) await db.Memberships.Where(m => m.OrgId == second).ExecuteUpdateAsync(m => m.SetProperty(x => x.Role, Flapjack.Server.Platform.Identity.Role.Owner), Token);
        await RolesAsync(["viewer"], "second").ShouldBeAsync("default owner, second owner");

        async Task<string> RolesAsync(string[] roles, string? org)
        {
            using var client = server.ClientFor(signer.Token(_issuer.Claims(server.Time, "map", c =>
            {
                c["mail"] = "mapped@example.com";
                c["realm_access"] = new JsonObject { ["roles"] = new JsonArray([.. roles.Select(r => JsonValue.Create(r))]) };
                if (org is not null) c["https://example.com/org.name"] = org;
            })));
            var orgs = (await client.MeAsync().ShouldBe(200)).GetProperty("orgs");
            return string.Join(", ", orgs.EnumerateArray().Select(o => $"{o.Text("slug")} {o.Text("role")}").Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task First_requests_at_the_same_moment_make_one_person()
    {
        await using var server = await TrustingAsync(("AutoProvision", "true"), ("DefaultOrg", "default"));
        var signer = _issuer.Publish("ES256", "k");
        var same = signer.Token(_issuer.Claims(server.Time, "twin"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => StatusAsync(server, i % 2 == 0 ? same : signer.Token(_issuer.Claims(server.Time, "twin")))));
        answers.ShouldAllBe(status => status == 200);
        await using var db = server.Database();
        (await db.Users.CountAsync(u => u.Email == "twin@example.com", Token)).ShouldBe(1);
    }

    [Fact]
    public void Faulty_settings_stop_the_start_and_are_all_named()
    {
        var fault = Should.Throw<SettingsException>(() => ServerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Auth:Oidc:Issuers:0:Issuer"] = "http://issuer.example.com",
            ["Auth:Oidc:Issuers:0:JwksUri"] = "ftp://issuer.example.com/keys",
            ["Auth:Oidc:Issuers:0:SharedSecret"] = "short",
            ["Auth:Oidc:Issuers:0:AutoProvision"] = "perhaps",
            ["Auth:Oidc:Issuers:0:DefaultRole"] = "king",
            ["Auth:Oidc:Issuers:1:AutoProvision"] = "true",
        }).Build()));
        foreach (var key in new[] { "0:Issuer", "0:Audience", "0:JwksUri", "0:SharedSecret", "0:AutoProvision", "0:DefaultRole", "1:Issuer", "1:Audience", "1:DefaultOrg" })
            fault.Faults.ShouldContain(f => f.StartsWith($"Auth:Oidc:Issuers:{key}:", StringComparison.Ordinal), key);
    }

    private Task<ServerFixture> TrustingAsync(params (string Key, string Value)[] more) => ServerFixture.StartAsync(settings =>
    {
        settings["Network:AllowedHosts:0"] = new Uri(_issuer.Address).Authority;
        settings["Auth:Oidc:Issuers:0:Issuer"] = _issuer.Address;
        settings["Auth:Oidc:Issuers:0:Audience"] = FakeIssuer.Audience;
        foreach (var (key, value) in more) settings[$"Auth:Oidc:Issuers:0:{key}"] = value;
    });

    private static async Task<int> StatusAsync(ServerFixture server, string token)
    {
        using var client = server.ClientFor(token);
        using var response = await client.MeAsync();
        return (int)response.StatusCode;
    }
}

internal static class Awaited
{
    public static async Task ShouldBeAsync(this Task<string> sending, string expected, string? because = null) => (await sending).ShouldBe(expected, because);
}
