using Flapjack.Server.Mcp.Connections;
using Flapjack.Server.Mcp.Tools;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Mcp.Authorization;

/// <summary>What happens when somebody comes back from an authorisation server: the code becomes tokens, the tokens are kept, the tools are listed.</summary>
internal sealed class AuthorizationReturn(Authorizations authorizations, TokenEndpoint endpoint, Databases databases, SecretBox secrets, ServerTools tools, TimeProvider time)
{
    public async Task<ReturnOutcome> CompleteAsync(string? state, string? code, string? error, string? issuer, CancellationToken cancellationToken)
    {
        if (state is null || await authorizations.TakeAsync(state, cancellationToken) is not { } started) return new(null, null, "This authorisation is not known here, was used already, took longer than ten minutes, or what it is for has changed. Start it again.");
        var (server, client) = (started.Server, started.Client);
        // Another authorisation server than the one people were sent to must not speak for it (RFC 9207).
        if (issuer is not null && client.Issuer is not null && issuer.TrimEnd('/') != client.Issuer.TrimEnd('/')) return await FailAsync(server, "the answer came from another authorisation server", cancellationToken);
        if (error is not null || string.IsNullOrEmpty(code)) return await FailAsync(server, $"the authorisation server refused: {McpFault.Words(error ?? "it gave no code")}", cancellationToken);
        var answer = await endpoint.ExchangeAsync(client, code, started.Verifier, cancellationToken);
        if (answer.Tokens is not { } given) return await FailAsync(server, answer.Error!, cancellationToken);
        if (await KeepAsync(server, client, given, answer, cancellationToken) is not { } access) return await FailAsync(server, "the server was changed meanwhile", cancellationToken);
        await tools.RenewAsync(access, cancellationToken);
        return new(server.Id, started.RedirectAfter, null);
    }

    /// <summary>Erases tokens, here and where the authorisation server can.</summary>
    public async Task EraseAsync(McpServer server, CancellationToken cancellationToken)
    {
        if (OAuthTokens.Of(server, secrets) is not { } tokens) return;
        await using var db = databases.Open(server.OrgId);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.McpServers.Where(s => s.Id == server.Id).ExecuteUpdateAsync(set => set.SetProperty(s => s.OauthTokens, (string?)null).SetProperty(s => s.OauthScope, (string?)null).SetProperty(s => s.OauthExpiresAt, (DateTime?)null)
            .SetProperty(s => s.OauthRefreshedAt, (DateTime?)null).SetProperty(s => s.OauthError, (string?)null).SetProperty(s => s.OauthVersion, s => s.OauthVersion + 1).SetProperty(s => s.Revision, s => s.Revision + 1)
            .SetProperty(s => s.Status, McpServer.NeedsAuth), cancellationToken);
        await db.McpChangedAsync(server.Id, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (OAuthClient.Of(server, secrets) is { } client) await endpoint.RevokeAsync(client, tokens, cancellationToken);
    }

    // Null when the server is reached in another way by now: tokens for the old address must not go to the new one.
    private async Task<ServerAccess?> KeepAsync(McpServer server, OAuthClient client, OAuthTokens given, TokenAnswer answer, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(server.OrgId);
        var now = time.Now();
        var (tokenBox, clientBox, expires, scope) = (given.Seal(secrets, server.OrgId, server.Id), client.Seal(secrets, server.OrgId, server.Id), AccessTokens.ExpiryOf(answer, now), answer.Scope ?? client.Scope);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var kept = await db.McpServers.Where(s => s.Id == server.Id && s.Url == server.Url && s.Transport == server.Transport && s.ManagedProvider == server.ManagedProvider).ExecuteUpdateAsync(set => set
            .SetProperty(s => s.OauthTokens, tokenBox).SetProperty(s => s.OauthClient, clientBox).SetProperty(s => s.OauthExpiresAt, expires).SetProperty(s => s.OauthScope, scope)
            .SetProperty(s => s.OauthRefreshedAt, (DateTime?)null).SetProperty(s => s.OauthError, (string?)null).SetProperty(s => s.OauthLease, (DateTime?)null)
            .SetProperty(s => s.OauthVersion, s => s.OauthVersion + 1).SetProperty(s => s.Revision, s => s.Revision + 1).SetProperty(s => s.Status, McpServer.Active).SetProperty(s => s.LastError, (string?)null).SetProperty(s => s.UpdatedAt, now), cancellationToken);
        await db.McpChangedAsync(server.Id, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return kept == 0 ? null : ServerAccess.Of(await db.McpServers.AsNoTracking().FirstAsync(s => s.Id == server.Id, cancellationToken));
    }

    private async Task<ReturnOutcome> FailAsync(McpServer server, string error, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(server.OrgId);
        await db.McpServers.Where(s => s.Id == server.Id).ExecuteUpdateAsync(set => set.SetProperty(s => s.OauthError, error), cancellationToken);
        return new(server.Id, null, error);
    }
}

/// <summary>How an authorisation ended.</summary>
/// <param name="ServerId">Null when nobody knows what was authorised.</param>
/// <param name="RedirectAfter">Where the browser goes; null for the page.</param>
/// <param name="Error">Null after success.</param>
internal sealed record ReturnOutcome(Guid? ServerId, string? RedirectAfter, string? Error);
