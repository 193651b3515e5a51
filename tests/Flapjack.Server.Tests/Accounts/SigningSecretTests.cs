using System.Net.Http.Json;
using System.Text.Json;
using Flapjack.Server.Accounts;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Accounts;

public sealed class SigningSecretTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_server_signs_until_the_organisation_has_a_secret_of_its_own()
    {
        var org = await server.AddOrgAsync("signer");
        await server.AddUserAsync("signer@example.com", (org, "admin"));
        using var admin = await server.ClientOfAsync("signer@example.com");
        var before = await admin.GetAsync(Path(org), Token).ShouldBe(200);
        (before.GetProperty("has_secret").GetBoolean(), before.Text("source")).ShouldBe((true, "server"));
        before.GetProperty("rotated_at").ValueKind.ShouldBe(JsonValueKind.Null);
        before.Text("prefix").ShouldMatch("^whsec_.{3}…$");

        var rotated = await admin.PostAsync(Path(org) + "/rotate", null, Token).ShouldBe(200);
        var secret = rotated.Text("secret");
        secret.ShouldMatch("^whsec_[A-Za-z0-9+/]{43}=$");
        rotated.Text("rotated_at").ShouldNotBeEmpty();
        var after = await admin.GetAsync(Path(org), Token).ShouldBe(200);
        (after.Text("source"), after.Text("prefix")).ShouldBe(("org", secret[..9] + "…"));
        after.ToString().ShouldNotContain(secret);
        (await EffectiveAsync(org)).ShouldBe(secret);
        (await EffectiveAsync(await server.FirstOrgAsync())).ShouldNotBe(secret);

        await using var db = server.Database();
        (await db.Organisations.FirstAsync(o => o.Id == org, Token)).SigningSecret!.ShouldNotContain(secret);
    }

    [Fact]
    public async Task An_own_value_has_24_to_200_characters()
    {
        var org = await server.AddOrgAsync("own-value");
        await server.AddUserAsync("own-value@example.com", (org, "owner"));
        using var owner = await server.ClientOfAsync("own-value@example.com");
        foreach (var length in new[] { 24, 200 })
        {
            var own = new string('s', length);
            (await owner.PostAsJsonAsync(Path(org) + "/rotate", new { secret = own }, Token).ShouldBe(200)).Text("secret").ShouldBe(own);
            (await EffectiveAsync(org)).ShouldBe(own);
        }
        foreach (var length in new[] { 0, 23, 201 }) await owner.PostAsJsonAsync(Path(org) + "/rotate", new { secret = new string('s', length) }, Token).ShouldBeError(422, "VALIDATION_ERROR", "secret");
    }

    [Fact]
    public async Task It_is_for_administrators_of_that_organisation()
    {
        var (first, own) = (await server.FirstOrgAsync(), await server.AddOrgAsync("own"));
        await server.AddUserAsync("mixed@example.com", (first, "member"), (own, "admin"));
        using var client = await server.ClientOfAsync("mixed@example.com");
        await client.GetAsync(Path(first), Token).ShouldBeError(403, "FORBIDDEN");
        await client.PostAsync(Path(first) + "/rotate", JsonText.Content("{"), Token).ShouldBeError(403, "FORBIDDEN");
        await client.GetAsync(Path(own), Token).ShouldBe(200);
        await server.Client.GetAsync(Path(first), Token).ShouldBeError(403, "FORBIDDEN");
        await server.Anonymous.GetAsync(Path(first), Token).ShouldBeError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task A_foreign_organisation_looks_like_an_unknown_one()
    {
        var foreign = await server.AddOrgAsync("foreign-secret");
        using var owner = await server.LoginOwnerAsync();
        var answer = await owner.BodyAsync(HttpMethod.Get, Path(foreign));
        answer.ShouldStartWith("404 ");
        (await owner.BodyAsync(HttpMethod.Get, Path(Guid.CreateVersion7()))).ShouldBe(answer);
        (await owner.BodyAsync(HttpMethod.Post, Path(foreign) + "/rotate")).ShouldBe(await owner.BodyAsync(HttpMethod.Post, Path(Guid.CreateVersion7()) + "/rotate"));
        await owner.GetAsync("/api/orgs/none/signing-secret", Token).ShouldBeError(404, "NOT_FOUND");
    }

    private async Task<string> EffectiveAsync(Guid org) => (await server.Services.GetRequiredService<SigningSecrets>().ReadAsync(org, Token)).Secret;

    private static string Path(Guid org) => $"/api/orgs/{org}/signing-secret";
}
