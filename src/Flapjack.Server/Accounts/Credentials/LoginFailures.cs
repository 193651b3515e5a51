using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Accounts.Credentials;

/// <summary>Counts failed logins and refuses further ones for the rest of a quarter of an hour: per network address on this node, per e-mail for all nodes together.</summary>
/// <remarks>An account is one target for attackers on many addresses and many nodes, so its count is in the database; it grows only as fast as passwords can be checked.</remarks>
internal sealed class LoginFailures(ServerSettings settings, IReader reader, IWriter writer, OpaqueTokens tokens, TimeProvider time)
{
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(15);
    private const int MaxEntries = 20_000;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _addresses = new(StringComparer.Ordinal);

    /// <summary>Throws 429 when the address or the e-mail has failed too often. True when the e-mail has failed at all.</summary>
    public async ValueTask<bool> ThrowIfTooManyAsync(string address, string? email, CancellationToken cancellationToken)
    {
        if (settings.Limits.LoginFailures == 0) return false;
        var now = time.Now();
        lock (_lock) Check(_addresses.GetValueOrDefault(ClientAddress.HouseholdOf(address)), now);
        if (email is null || await reader.ReadAsync(LoginFailureSql.Find(EmailKey(email), now - Window), static row => new Entry(row.Time(), row.Integer()), cancellationToken) is not { } entry) return false;
        Check(entry, now);
        return true;
    }

    public async ValueTask AddAsync(string address, string? email, CancellationToken cancellationToken)
    {
        if (settings.Limits.LoginFailures == 0) return;
        var now = time.Now();
        lock (_lock) Count(ClientAddress.HouseholdOf(address), now);
        if (email is not null) await writer.WriteAsync([LoginFailureSql.Count(EmailKey(email), now, now - Window)], cancellationToken);
    }

    /// <summary>The person proved who they are. The address keeps its count: an attacker may own an account, too.</summary>
    public Task ForgiveAsync(string email, CancellationToken cancellationToken) => writer.WriteAsync([LoginFailureSql.Forget(EmailKey(email))], cancellationToken);

    private void Check(Entry? entry, DateTime now)
    {
        if (entry is not null && entry.Start + Window > now && entry.Count >= settings.Limits.LoginFailures)
            throw new ApiException(429, "RATE_LIMITED", "too many failed logins, try again later") { RetryAfter = entry.Start + Window - now, Limit = settings.Limits.LoginFailures };
    }

    private void Count(string key, DateTime now)
    {
        var known = _addresses.GetValueOrDefault(key);
        if (_addresses.Count >= MaxEntries && known is null) MakeRoom(now);
        _addresses[key] = known is not null && known.Start + Window > now ? known with { Count = known.Count + 1 } : new(now, 1);
    }

    private void MakeRoom(DateTime now)
    {
        foreach (var (key, entry) in _addresses) if (entry.Start + Window <= now) _addresses.Remove(key);
        if (_addresses.Count < MaxEntries) return;
        foreach (var key in _addresses.OrderBy(e => e.Value.Count).ThenBy(e => e.Value.Start).Take(MaxEntries / 10).Select(e => e.Key).ToList()) _addresses.Remove(key);
    }

    private string EmailKey(string email) => tokens.HashOf("failed login of " + email);

    private sealed record Entry(DateTime Start, int Count);
}

/// <summary>Both databases run these.</summary>
internal static class LoginFailureSql
{
    private const string CountText = """
        INSERT INTO login_failures (key, started_at, count) VALUES ($1, $2, 1)
        ON CONFLICT (key) DO UPDATE SET
            count = CASE WHEN login_failures.started_at <= $3 THEN 1 ELSE login_failures.count + 1 END,
            started_at = CASE WHEN login_failures.started_at <= $3 THEN $2 ELSE login_failures.started_at END
        """;

    public static SqlStatement Find(string key, DateTime after) => new("SELECT started_at, count FROM login_failures WHERE key = $1 AND started_at > $2", [key, after]);

    /// <summary>One more, or the first after the window has passed.</summary>
    public static SqlStatement Count(string key, DateTime now, DateTime windowStart) => new(CountText, [key, now, windowStart]);

    public static SqlStatement Forget(string key) => new("DELETE FROM login_failures WHERE key = $1", [key]);

    /// <summary>One bounded batch.</summary>
    public static SqlStatement Sweep(DateTime before) => new("DELETE FROM login_failures WHERE key IN (SELECT key FROM login_failures WHERE started_at <= $1 LIMIT 500)", [before]);
}
