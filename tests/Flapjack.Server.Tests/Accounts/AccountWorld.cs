using System.Net.Http.Json;
using System.Text.Json;
using Flapjack.Server.Accounts;
using Flapjack.Server.Accounts.Credentials;
using Flapjack.Server.Keys;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Accounts;

/// <summary>People, organisations and links that no endpoint creates yet, and the calls that account tests repeat.</summary>
internal static class AccountWorld
{
    public const string Password = "a password of others";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The organisation of the first start.</summary>
    public static async Task<Guid> FirstOrgAsync(this ServerFixture server)
    {
        await using var db = server.Database();
        return (await db.Organisations.OrderBy(o => o.CreatedAt).FirstAsync(Token)).Id;
    }

    public static async Task<Guid> AddOrgAsync(this ServerFixture server, string slug)
    {
        await using var db = server.Database();
        var org = new Organisation { Id = Ids.New(), Name = slug, Slug = slug, CreatedAt = server.Time.Now() };
        db.Organisations.Add(org);
        await db.SaveChangesAsync(Token);
        return org.Id;
    }

    /// <summary>An account with <see cref="Password"/> and a role in each organisation; the first one is its default.</summary>
    public static async Task<Guid> AddUserAsync(this ServerFixture server, string email, params (Guid OrgId, string Role)[] roles)
    {
        await using var db = server.Database();
        var user = new User
        {
            Id = Ids.New(), Email = email, Name = "Somebody", DefaultOrgId = roles[0].OrgId, CreatedAt = server.Time.Now(),
            PasswordHash = server.Services.GetRequiredService<Passwords>().Hash(Password),
        };
        db.Users.Add(user);
        foreach (var (orgId, role) in roles) db.Memberships.Add(new Membership { OrgId = orgId, UserId = user.Id, Role = Enum.Parse<Role>(role, ignoreCase: true), CreatedAt = server.Time.Now() });
        await db.SaveChangesAsync(Token);
        return user.Id;
    }

    public static async Task SetRoleAsync(this ServerFixture server, Guid userId, string? role)
    {
        await using var db = server.Database();
        var membership = await db.Memberships.FirstAsync(m => m.UserId == userId, Token);
        if (role is null) db.Memberships.Remove(membership);
        else membership.Role = Enum.Parse<Role>(role, ignoreCase: true);
        await db.SaveChangesAsync(Token);
    }

    /// <summary>A login link's token.</summary>
    public static async Task<string> AddLinkAsync(this ServerFixture server, string email)
    {
        await using var db = server.Database();
        var user = await db.Users.FirstAsync(u => u.Email == email, Token);
        db.LoginLinks.Add(server.Services.GetRequiredService<OpaqueTokens>().NewLink(user.Id, server.Time.Now(), out var token));
        await db.SaveChangesAsync(Token);
        return token;
    }

    /// <summary>An API key of an organisation, with its id.</summary>
    public static async Task<(Guid Id, string Text)> AddKeyAsync(this ServerFixture server, Guid orgId, string? scopes = null)
    {
        await using var db = server.Database();
        var text = ApiKeyFormat.NewLiveKey();
        var key = ApiKey.Create(text, server.Services.GetRequiredService<ApiKeyReader>().HashOf(text), orgId, "Seeded", server.Time.Now(), null, scopes);
        db.ApiKeys.Add(key);
        await db.SaveChangesAsync(Token);
        return (key.Id, text);
    }

    public static FlapjackDb Database(this ServerFixture server) => server.Services.GetRequiredService<Databases>().OpenForServer();

    public static Task<HttpResponseMessage> TryLoginAsync(this ServerFixture server, string email, string password) =>
        server.Anonymous.PostAsJsonAsync("/api/auth/login", new { email, password }, Token);

    public static Task<JsonElement> LoginAsync(this ServerFixture server, string email = ServerFixture.OwnerEmail, string? password = null) =>
        server.TryLoginAsync(email, password ?? (email == ServerFixture.OwnerEmail ? ServerFixture.OwnerPassword : Password)).ShouldBe(200);

    public static async Task<HttpClient> ClientOfAsync(this ServerFixture server, string email) => server.ClientFor((await server.LoginAsync(email)).Text("access_token"));

    public static Task<HttpResponseMessage> RefreshAsync(this ServerFixture server, string refreshToken) =>
        server.Anonymous.PostAsJsonAsync("/api/auth/refresh", new { refreshToken }, Token);

    public static Task<HttpResponseMessage> MeAsync(this HttpClient client) => client.GetAsync("/api/auth/me", Token);

    public static string Text(this JsonElement element, string name) => element.GetProperty(name).GetString()!;

    /// <summary>The body with everything that a request carries of itself made equal, to compare two answers byte for byte.</summary>
    public static async Task<string> BodyAsync(this HttpClient client, HttpMethod method, string path, string? json = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = json is null ? null : JsonText.Content(json) };
        request.Headers.Add("X-Request-Id", "same-for-both");
        using var response = await client.SendAsync(request, Token);
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(Token)}";
    }
}
