using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Accounts;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Mcp.Authorization;

/// <summary>Sends people to authorisation servers and knows them again when they come back: PKCE with S256, a state that is encrypted, names server and user, good for ten minutes and for one use. Who opens the address is not asked: it is for the user alone.</summary>
internal sealed class Authorizations(Databases databases, SecretBox secrets, TimeProvider time) : IHousekeepingTask
{
    private const string StatePlace = "mcp/oauth/state";
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    public string Name => "MCP authorisations";

    public HousekeepingScope Scope => HousekeepingScope.Cluster;

    /// <summary>Begins one.</summary>
    /// <returns>The address to open in a browser.</returns>
    public async Task<string> StartAsync(McpServer server, OAuthClient client, string? userId, string? redirectAfter, CancellationToken cancellationToken)
    {
        // 512 random bits; PKCE takes 43 to 128 characters, and this is 86.
        var verifier = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(64));
        var (id, orgId, serverId) = (Ids.New(), server.OrgId, server.Id);
        var expires = time.Now() + Lifetime;
        await using var db = databases.Open(orgId);
        db.McpAuthorizations.Add(new()
        {
            Id = id,
            OrgId = orgId,
            McpServerId = serverId,
            UserId = userId,
            Verifier = secrets.Seal(verifier, McpServer.Place(orgId, id, "verifier")),
            Client = client.Seal(secrets, orgId, serverId),
            RedirectAfter = redirectAfter,
            ExpiresAt = expires,
        });
        await db.SaveChangesAsync(cancellationToken);
        var state = secrets.SealBytes(JsonSerializer.SerializeToUtf8Bytes(new State(id, orgId, serverId, userId, expires, FingerprintOf(server))), StatePlace);
        return AddressOf(client, Base64Url.EncodeToString(state), verifier);
    }

    /// <summary>The authorisation somebody comes back from; null when the state is not one, was used, or is too old, when the server is reached in another way by now, or when who started it may no longer change it.</summary>
    public async Task<StartedAuthorization?> TakeAsync(string state, CancellationToken cancellationToken)
    {
        if (Open(state) is not { } opened || opened.Expires <= time.Now()) return null;
        await using var db = databases.Open(opened.OrgId);
        var row = await db.McpAuthorizations.AsNoTracking().FirstOrDefaultAsync(a => a.Id == opened.Id, cancellationToken);
        // Of two who bring the same state only the one whose delete finds the row goes on.
        if (row is null || await db.McpAuthorizations.Where(a => a.Id == opened.Id).ExecuteDeleteAsync(cancellationToken) == 0) return null;
        if (row.McpServerId != opened.ServerId || row.UserId != opened.UserId || Caller.IsVisitor(row.UserId)) return null;
        var server = await db.McpServers.AsNoTracking().FirstOrDefaultAsync(s => s.Id == row.McpServerId, cancellationToken);
        if (server is null || FingerprintOf(server) != opened.Way || row.UserId is { } user && !await MayEditAsync(db, row.OrgId, user, cancellationToken)) return null;
        var client = JsonSerializer.Deserialize<OAuthClient>(secrets.Open(row.Client, McpServer.Place(row.OrgId, row.McpServerId, "oauth_client")))!;
        return new(server, client, secrets.Open(row.Verifier, McpServer.Place(row.OrgId, row.Id, "verifier")), row.RedirectAfter);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var db = databases.OpenForServer();
        var now = time.Now();
        await db.McpAuthorizations.IgnoreQueryFilters().Where(a => a.ExpiresAt <= now).ExecuteDeleteAsync(cancellationToken);
    }

    private static async Task<bool> MayEditAsync(FlapjackDb db, Guid orgId, string user, CancellationToken cancellationToken) =>
        Guid.TryParse(user, out var userId) && await db.RoleOfAsync(orgId, userId, cancellationToken) >= McpServer.Editors;

    // An address may be as long as a state.
    private static string FingerprintOf(McpServer server) => Base64Url.EncodeToString(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes<string?[]>([server.Way.Transport, server.Way.Url, server.Way.ManagedProvider])));

    private State? Open(string state)
    {
        try
        {
            return state.Length > 2_000 ? null : JsonSerializer.Deserialize<State>(secrets.OpenBytes(Base64Url.DecodeFromChars(state), StatePlace));
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException or JsonException or ArgumentException or OverflowException)
        {
            return null;
        }
    }

    private static string AddressOf(OAuthClient client, string state, string verifier)
    {
        var challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));
        var query = new List<(string Name, string? Value)>
        {
            ("response_type", "code"), ("client_id", client.ClientId), ("redirect_uri", client.RedirectUri), ("scope", client.Scope), ("state", state),
            ("code_challenge", challenge), ("code_challenge_method", "S256"), ("resource", client.Resource),
        };
        var text = string.Join('&', query.Where(part => !string.IsNullOrEmpty(part.Value)).Select(part => $"{part.Name}={Uri.EscapeDataString(part.Value!)}"));
        return client.AuthorizeUrl + (client.AuthorizeUrl.Contains('?', StringComparison.Ordinal) ? "&" : "?") + text;
    }

    private sealed record State(Guid Id, Guid OrgId, Guid ServerId, string? UserId, DateTime Expires, string? Way = null);
}

/// <summary>What is known of somebody who came back.</summary>
internal sealed record StartedAuthorization(McpServer Server, OAuthClient Client, string Verifier, string? RedirectAfter);
