using Flapjack.Server.Keys;
using Flapjack.Server.Models;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Models;

/// <summary>What no client can see or do.</summary>
internal static class ModelRows
{
    public static async Task<ProviderConfig> ProviderRowAsync(this ServerFixture server, string name)
    {
        await using var db = server.Services.GetRequiredService<Databases>().OpenForServer();
        return await db.Providers.IgnoreQueryFilters().AsNoTracking().SingleAsync(p => p.Provider == name, TestContext.Current.CancellationToken);
    }

    public static async Task<Guid> OrgIdAsync(this ServerFixture server)
    {
        await using var db = server.Services.GetRequiredService<Databases>().OpenForServer();
        return (await db.Organisations.AsNoTracking().OrderBy(o => o.CreatedAt).FirstAsync(TestContext.Current.CancellationToken)).Id;
    }

    /// <summary>A client with a key that has one scope.</summary>
    public static async Task<HttpClient> KeyClientAsync(this ServerFixture server, string scope)
    {
        var secret = ApiKeyFormat.LivePrefix + Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
        var orgId = await server.OrgIdAsync();
        await using var db = server.Services.GetRequiredService<Databases>().Open(orgId);
        db.ApiKeys.Add(new ApiKey
        {
            Id = Ids.New(), OrgId = orgId, Name = scope, Prefix = ApiKeyFormat.Prefix(secret), Hash = server.Services.GetRequiredService<ApiKeyReader>().HashOf(secret), Scopes = scope, CreatedAt = server.Time.Now(),
        });
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return server.ClientFor(secret);
    }
}
