using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Flapjack.Server.Accounts.Credentials;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Tokens;

namespace Flapjack.Server.Tests.Accounts;

public sealed class AccessTokenTests(AccessTokenTests.PublicServer host) : IClassFixture<AccessTokenTests.PublicServer>
{
    private const string Issuer = "https://flapjack.example.com";
    private readonly ServerFixture server = host.Server;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_token_carries_the_claims_of_the_contract_and_verifies_with_the_key_set()
    {
        var session = await server.LoginAsync();
        var (header, claims) = Parts(session.Text("access_token"));
        header["alg"]!.GetValue<string>().ShouldBe("ES256");
        claims["iss"]!.GetValue<string>().ShouldBe(Issuer);
        claims["aud"]!.GetValue<string>().ShouldBe("flapjack");
        claims["sub"]!.GetValue<string>().ShouldBe(session.GetProperty("user").Text("id"));
        claims["org"]!.GetValue<string>().ShouldBe(session.GetProperty("org").Text("id"));
        claims["email"]!.GetValue<string>().ShouldBe(ServerFixture.OwnerEmail);
        Guid.Parse(claims["sid"]!.GetValue<string>()).ShouldNotBe(Guid.Empty);
        claims["name"].ShouldNotBeNull();
        claims["iat"]!.GetValue<long>().ShouldBe(server.Time.GetUtcNow().ToUnixTimeSeconds());
        claims["exp"]!.GetValue<long>().ShouldBe(server.Time.GetUtcNow().ToUnixTimeSeconds() + 900);

        var set = await server.Anonymous.GetAsync("/.well-known/jwks.json", Token).ShouldBe(200);
        var key = set.GetProperty("keys")[0];
        (key.Text("kty"), key.Text("crv"), key.Text("alg"), key.Text("use"), key.Text("kid")).ShouldBe(("EC", "P-256", "ES256", "sig", header["kid"]!.GetValue<string>()));
        key.TryGetProperty("d", out _).ShouldBeFalse();
        using var ecdsa = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Base64Url.DecodeFromChars(key.Text("x")), Y = Base64Url.DecodeFromChars(key.Text("y")) } });
        var token = session.Text("access_token");
        ecdsa.VerifyData(Encoding.ASCII.GetBytes(token[..token.LastIndexOf('.')]), Base64Url.DecodeFromChars(token.Split('.')[2]), HashAlgorithmName.SHA256).ShouldBeTrue();
    }

    [Fact]
    public async Task A_token_signed_here_with_right_claims_is_accepted() => (await StatusAsync(await SignedAsync(_ => { }))).ShouldBe(200);

    [Theory]
    [InlineData("iss", "https://elsewhere.example.com")]
    [InlineData("iss", null)]
    [InlineData("aud", "others")]
    [InlineData("aud", null)]
    [InlineData("exp", null)]
    [InlineData("sub", "01900000-0000-7000-8000-000000000000")]
    [InlineData("sid", "01900000-0000-7000-8000-000000000000")]
    [InlineData("sid", null)]
    [InlineData("sid", "not an id")]
    public async Task A_token_with_a_wrong_claim_is_refused(string claim, string? value) =>
        (await StatusAsync(await SignedAsync(claims => { if (value is null) claims.Remove(claim); else claims[claim] = value; }))).ShouldBe(401);

    [Theory]
    [InlineData("iat", 61)]
    [InlineData("nbf", 61)]
    [InlineData("exp", 0)]
    public async Task A_token_out_of_its_time_is_refused(string claim, int secondsFromNow) =>
        (await StatusAsync(await SignedAsync(claims => claims[claim] = server.Time.GetUtcNow().ToUnixTimeSeconds() + secondsFromNow))).ShouldBe(401);

    [Fact]
    public async Task A_token_ends_after_its_lifetime()
    {
        var token = (await server.LoginAsync()).Text("access_token");
        server.Time.Advance(TimeSpan.FromSeconds(899));
        (await StatusAsync(token)).ShouldBe(200);
        server.Time.Advance(TimeSpan.FromSeconds(2));
        (await StatusAsync(token)).ShouldBe(401);
    }

    [Fact]
    public async Task Signatures_that_are_missing_foreign_or_of_another_kind_are_refused()
    {
        var token = (await server.LoginAsync()).Text("access_token");
        var (header, claims) = Parts(token);
        using var foreign = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        (await StatusAsync(Join(With(header, "alg", "none"), claims, _ => []))).ShouldBe(401);
        (await StatusAsync(Join(header, claims, data => foreign.SignData(data, HashAlgorithmName.SHA256)))).ShouldBe(401);
        header.Remove("kid");
        (await StatusAsync(Join(header, claims, data => foreign.SignData(data, HashAlgorithmName.SHA256)))).ShouldBe(401);
        var set = await server.Anonymous.GetAsync("/.well-known/jwks.json", Token).ShouldBe(200);
        var publicBytes = Base64Url.DecodeFromChars(set.GetProperty("keys")[0].Text("x"));
        (await StatusAsync(Join(With(header, "alg", "HS256"), claims, data => HMACSHA256.HashData(publicBytes, data)))).ShouldBe(401);
        var parts = token.Split('.');
        claims["email"] = "somebody@example.com";
        (await StatusAsync($"{parts[0]}.{Encode(claims)}.{parts[2]}")).ShouldBe(401);
        (await StatusAsync($"{parts[0]}.{parts[1]}.")).ShouldBe(401);
        (await StatusAsync("eyJ.eyJ.x")).ShouldBe(401);
        (await StatusAsync("nonsense")).ShouldBe(401);
    }

    [Fact]
    public async Task Tokens_outlive_a_restart_of_the_server()
    {
        await using var own = await ServerFixture.StartAsync();
        var token = (await own.LoginAsync()).Text("access_token");
        await own.RestartAsync();
        using var client = own.ClientFor(token);
        await client.MeAsync().ShouldBe(200);
    }

    private async Task<int> StatusAsync(string token)
    {
        using var client = server.ClientFor(token);
        using var response = await client.MeAsync();
        return (int)response.StatusCode;
    }

    // Signed with the server's own key, so that only the changed claim can be the reason of a refusal.
    private async Task<string> SignedAsync(Action<JsonObject> change)
    {
        var (header, claims) = Parts((await server.LoginAsync()).Text("access_token"));
        change(claims);
        ECDsaSecurityKey key = (await server.Services.GetRequiredService<SigningKeys>().AllAsync(Token))[0];
        return Join(header, claims, data => key.ECDsa.SignData(data, HashAlgorithmName.SHA256));
    }

    private static (JsonObject Header, JsonObject Claims) Parts(string token)
    {
        var parts = token.Split('.');
        return (JsonNode.Parse(Base64Url.DecodeFromChars(parts[0]))!.AsObject(), JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!.AsObject());
    }

    private static JsonObject With(JsonObject json, string name, string value)
    {
        var copy = json.DeepClone().AsObject();
        copy[name] = value;
        return copy;
    }

    private static string Join(JsonObject header, JsonObject claims, Func<byte[], byte[]> sign)
    {
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));

    /// <summary>A server with a public address, which is the issuer of its tokens.</summary>
    public sealed class PublicServer : IAsyncLifetime
    {
        public ServerFixture Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await ServerFixture.StartAsync(settings => settings["Server:PublicUrl"] = Issuer + "/");

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
