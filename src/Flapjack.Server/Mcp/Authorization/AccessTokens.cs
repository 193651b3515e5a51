using System.Collections.Concurrent;
using Flapjack.Server.Mcp.Connections;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;

namespace Flapjack.Server.Mcp.Authorization;

/// <summary>The tokens with which servers are called. One that ends within two minutes is renewed first, by one caller of one node: a refresh token is often good for one use.</summary>
internal sealed partial class AccessTokens(Databases databases, SecretBox secrets, TokenEndpoint endpoint, TimeProvider time, ILogger<AccessTokens> logger) : IDisposable
{
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(2), LeaseTime = TimeSpan.FromSeconds(30), Pause = TimeSpan.FromMilliseconds(200);
    private readonly MemoryCache _known = new(new MemoryCacheOptions { SizeLimit = 10_000 });
    private readonly ConcurrentDictionary<(Guid, int), Lazy<Task<Known?>>> _refreshes = new();

    /// <summary>A token for the server; null when somebody has to authorise first.</summary>
    /// <param name="server">Whose.</param>
    /// <param name="refused">A token that the server refused just now; another one is wanted.</param>
    /// <param name="cancellationToken">Of the caller.</param>
    public async ValueTask<string?> CurrentAsync(ServerAccess server, string? refused, CancellationToken cancellationToken)
    {
        var key = (server.Id, server.Revision);
        if (_known.Get<Known>(key) is { } known && known.Token != refused && IsFresh(known.ExpiresAt)) return known.Token;
        return (await _refreshes.GetOrAdd(key, _ => new(() => RunAsync(server, refused))).Value.WaitAsync(cancellationToken))?.Token;
    }

    public void Dispose() => _known.Dispose();

    // Removes itself: those who waited may be gone by then, and the next one asks anew.
    private async Task<Known?> RunAsync(ServerAccess access, string? refused)
    {
        await Task.Yield();
        try
        {
            return await FindAsync(access, refused);
        }
        finally
        {
            _refreshes.TryRemove((access.Id, access.Revision), out _);
        }
    }

    private async Task<Known?> FindAsync(ServerAccess access, string? refused)
    {
        await using var db = databases.Open(access.OrgId);
        // Ends: the other node's lease does.
        while (true)
        {
            var row = await db.McpServers.AsNoTracking().FirstOrDefaultAsync(s => s.Id == access.Id && s.Revision == access.Revision);
            if (row is null || OAuthTokens.Of(row, secrets) is not { } tokens) return null;
            if (tokens.Access != refused && IsFresh(row.OauthExpiresAt)) return Keep(access, tokens, row.OauthExpiresAt);
            var isUsable = tokens.Access != refused && (row.OauthExpiresAt is null || row.OauthExpiresAt > time.Now());
            if (tokens.Refresh is null || OAuthClient.Of(row, secrets) is not { } client) return isUsable ? new(tokens.Access, row.OauthExpiresAt) : null;
            if (await ClaimAsync(db, row)) return await RefreshAsync(db, row, client, tokens, isUsable);
            await Task.Delay(Pause);
        }
    }

    private async Task<bool> ClaimAsync(FlapjackDb db, McpServer row)
    {
        DateTime now = time.Now(), until = now + LeaseTime;
        return await db.McpServers.Where(s => s.Id == row.Id && s.OauthVersion == row.OauthVersion && (s.OauthLease == null || s.OauthLease < now))
            .ExecuteUpdateAsync(set => set.SetProperty(s => s.OauthLease, until)) > 0;
    }

    private async Task<Known?> RefreshAsync(FlapjackDb db, McpServer row, OAuthClient client, OAuthTokens tokens, bool isUsable)
    {
        var answer = await endpoint.RefreshAsync(client, tokens.Refresh!, CancellationToken.None);
        var now = time.Now();
        var current = db.McpServers.Where(s => s.Id == row.Id && s.OauthVersion == row.OauthVersion);
        if (answer.Tokens is { } given)
        {
            // One that is not replaced stays good.
            var renewed = given with { Refresh = given.Refresh ?? tokens.Refresh };
            var (box, expires, scope) = (renewed.Seal(secrets, row.OrgId, row.Id), ExpiryOf(answer, now), answer.Scope ?? row.OauthScope);
            var status = row.Status == McpServer.NeedsAuth ? McpServer.Active : row.Status;
            await current.ExecuteUpdateAsync(set => set.SetProperty(s => s.OauthTokens, box).SetProperty(s => s.OauthExpiresAt, expires).SetProperty(s => s.OauthScope, scope).SetProperty(s => s.OauthRefreshedAt, now)
                .SetProperty(s => s.OauthError, (string?)null).SetProperty(s => s.OauthVersion, s => s.OauthVersion + 1).SetProperty(s => s.OauthLease, (DateTime?)null).SetProperty(s => s.Status, status));
            return Keep(ServerAccess.Of(row), renewed, expires);
        }
        LogFailed(logger, row.Id, answer.Error!);
        // An answer that will not change makes the refresh token useless; one that did not come leaves it for the next call.
        var kept = answer.IsFinal ? (tokens with { Refresh = null }).Seal(secrets, row.OrgId, row.Id) : row.OauthTokens;
        var after = isUsable && !answer.IsFinal ? row.Status : McpServer.NeedsAuth;
        await current.ExecuteUpdateAsync(set => set.SetProperty(s => s.OauthTokens, kept).SetProperty(s => s.OauthError, answer.Error).SetProperty(s => s.OauthLease, (DateTime?)null)
            .SetProperty(s => s.Status, after).SetProperty(s => s.OauthVersion, s => s.OauthVersion + 1));
        return isUsable && !answer.IsFinal ? new(tokens.Access, row.OauthExpiresAt) : null;
    }

    /// <summary>When tokens end, by the clock of this server.</summary>
    public static DateTime? ExpiryOf(TokenAnswer answer, DateTime now) => answer.ExpiresIn is { } seconds ? Clock.Truncate(now.AddSeconds(seconds)) : null;

    private bool IsFresh(DateTime? expiresAt) => expiresAt is null || expiresAt > time.Now() + Margin;

    private Known Keep(ServerAccess access, OAuthTokens tokens, DateTime? expiresAt) =>
        _known.Set((access.Id, access.Revision), new Known(tokens.Access, expiresAt), new MemoryCacheEntryOptions { Size = 1, SlidingExpiration = TimeSpan.FromMinutes(10) });

    [LoggerMessage(1, LogLevel.Warning, "The tokens of MCP server {Server} could not be refreshed: {Reason}")]
    private static partial void LogFailed(ILogger logger, Guid server, string reason);

    private sealed record Known(string Token, DateTime? ExpiresAt);
}
