using System.Buffers.Text;
using System.Text.Json.Nodes;
using Flapjack.Server.Accounts.External;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Tests.Accounts.External;

/// <summary>Tokens signed with EdDSA, and what may not pass for one.</summary>
public sealed class EdDsaIssuerTests : IAsyncLifetime
{
    private FakeIssuer _issuer = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _issuer = await FakeIssuer.StartAsync();

    public ValueTask DisposeAsync() => _issuer.DisposeAsync();

    [Fact]
    public async Task A_token_signed_with_EdDSA_opens_an_account_and_no_other_name_for_its_algorithm_does()
    {
        await using var server = await TrustingAsync();
        var (edwards, curve, rsa) = (_issuer.Publish("EdDSA", "edwards"), _issuer.Publish("ES256", "curve"), _issuer.Publish("RS256", "rsa"));
        (await StatusAsync(server, edwards.Token(_issuer.Claims(server.Time, "ada")))).ShouldBe(200);
        (await StatusAsync(server, (edwards with { KeyId = null }).Token(_issuer.Claims(server.Time, "ada")))).ShouldBe(200, "no key id");

        var claims = _issuer.Claims(server.Time, "eve");
        var parts = edwards.Token(claims).Split('.');
        foreach (var algorithm in new[] { "ES256", "RS256", "PS256", "HS256", "none", "eddsa", "Ed25519", "" })
        {
            var other = (edwards with { Algorithm = algorithm }).Token(claims);
            (await StatusAsync(server, other)).ShouldBe(401, $"signed as {algorithm}");
            (await StatusAsync(server, $"{other[..other.LastIndexOf('.')]}.{parts[2]}")).ShouldBe(401, $"{algorithm} with the signature of another head");
        }
        (await StatusAsync(server, (curve with { Algorithm = "EdDSA" }).Token(claims))).ShouldBe(401, "a P-256 key");
        (await StatusAsync(server, (rsa with { Algorithm = "EdDSA" }).Token(claims))).ShouldBe(401, "an RSA key");
        (await StatusAsync(server, (edwards with { KeyId = "curve" }).Token(claims))).ShouldBe(401, "the id of another key");
        (await StatusAsync(server, Signer.Create("EdDSA", "edwards").Token(claims))).ShouldBe(401, "another's key under a known id");
        (await StatusAsync(server, $"{parts[0]}.{parts[1]}.")).ShouldBe(401, "no signature");
        (await StatusAsync(server, $"{parts[0]}.{parts[1]}.{parts[2]}AA")).ShouldBe(401, "a longer signature");
        (await StatusAsync(server, $"{parts[0]}.{parts[1]}.{parts[2][..^2]}")).ShouldBe(401, "a shorter signature");
        (await StatusAsync(server, edwards.Token(claims))).ShouldBe(200);
    }

    [Fact]
    public async Task A_public_key_is_no_shared_secret_and_a_shared_secret_takes_no_public_key()
    {
        var secret = Base64Url.EncodeToString(new Ed25519Pair().PublicKey);
        await using var server = await TrustingAsync();
        var signer = _issuer.Publish("EdDSA", "k");
        (await StatusAsync(server, (Signer.Shared(signer.PublicPart()["x"]!.GetValue<string>()) with { KeyId = "k" }).Token(_issuer.Claims(server.Time, "eve")))).ShouldBe(401);
        await server.RestartAsync(settings => settings["Auth:Oidc:Issuers:0:SharedSecret"] = secret);
        (await StatusAsync(server, Signer.Shared(secret).Token(_issuer.Claims(server.Time, "ada")))).ShouldBe(200);
        (await StatusAsync(server, signer.Token(_issuer.Claims(server.Time, "ada")))).ShouldBe(401);
    }

    [Fact]
    public async Task A_key_that_is_none_leaves_the_others_their_work()
    {
        await using var server = await TrustingAsync();
        var good = _issuer.Publish("EdDSA", "good");
        _issuer.Answer = new JsonObject { ["keys"] = new JsonArray(new JsonObject { ["kty"] = "OKP", ["crv"] = "Ed25519", ["kid"] = "short", ["x"] = "AAAA" }, new JsonObject { ["kty"] = "OKP", ["crv"] = "X448", ["x"] = "%" }, good.PublicPart()) }.ToJsonString();
        (await StatusAsync(server, good.Token(_issuer.Claims(server.Time, "ada")))).ShouldBe(200);
        (await StatusAsync(server, (good with { KeyId = "short" }).Token(_issuer.Claims(server.Time, "ada")))).ShouldBe(401);
    }

    [Fact]
    public async Task Without_OpenSSL_there_are_no_such_keys_and_the_log_says_so_once()
    {
        _issuer.Publish("EdDSA", "edwards");
        _issuer.Publish("ES256", "curve");
        var (time, log) = (new ManualTime(), new LogRecorder());
        using var http = new HttpMessageInvoker(new SocketsHttpHandler());
        var issuer = new OidcIssuer { Issuer = _issuer.Address, Audience = "a", JwksUri = null, SharedSecret = null, AutoProvision = false, DefaultOrg = null, DefaultRole = Role.Member, EmailClaim = "email", RoleClaim = null, OrgClaim = null };
        using var keys = new IssuerKeys(issuer, http, new AllowedHosts([new Uri(_issuer.Address).Authority]), time, log.CreateLogger("keys"), checksEd25519: false);
        (await keys.FindAsync("edwards", Token)).ShouldBeEmpty();
        time.Advance(TimeSpan.FromSeconds(31));
        (await keys.FindAsync("edwards", Token)).ShouldBeEmpty();
        _issuer.KeyRequests.ShouldBe(2);
        (await keys.FindAsync("curve", Token)).Count.ShouldBe(1);
        log.Lines.Count(line => line.Contains("EdDSA", StringComparison.Ordinal) && line.Contains(_issuer.Address, StringComparison.Ordinal)).ShouldBe(1);
    }

    private Task<ServerFixture> TrustingAsync() => ServerFixture.StartAsync(settings =>
    {
        settings["Network:AllowedHosts:0"] = new Uri(_issuer.Address).Authority;
        settings["Auth:Oidc:Issuers:0:Issuer"] = _issuer.Address;
        settings["Auth:Oidc:Issuers:0:Audience"] = FakeIssuer.Audience;
        settings["Auth:Oidc:Issuers:0:AutoProvision"] = "true";
        settings["Auth:Oidc:Issuers:0:DefaultOrg"] = "default";
    });

    private static async Task<int> StatusAsync(ServerFixture server, string token)
    {
        using var client = server.ClientFor(token);
        using var response = await client.MeAsync();
        return (int)response.StatusCode;
    }
}
