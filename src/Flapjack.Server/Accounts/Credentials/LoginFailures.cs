using System.Net;
using System.Net.Sockets;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Accounts.Credentials;

/// <summary>Counts failed logins per e-mail and per network address on this node and refuses further ones for the rest of a quarter of an hour.</summary>
internal sealed class LoginFailures(ServerSettings settings, TimeProvider time)
{
    private const int MaxEntries = 20_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(15);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Throws 429 when the address or the e-mail has failed too often.</summary>
    public void ThrowIfTooMany(string address, string? email)
    {
        if (settings.Limits.LoginFailures is not (> 0 and var limit)) return;
        var now = time.Now();
        lock (_lock)
        {
            Check(AddressKey(address));
            if (email is not null) Check(EmailKey(email));
        }

        void Check(string key)
        {
            if (_entries.TryGetValue(key, out var entry) && entry.Start + Window > now && entry.Count >= limit)
                throw new ApiException(429, "RATE_LIMITED", "too many failed logins, try again later") { RetryAfter = entry.Start + Window - now };
        }
    }

    public void Add(string address, string? email)
    {
        if (settings.Limits.LoginFailures == 0) return;
        var now = time.Now();
        lock (_lock)
        {
            Count(AddressKey(address), now);
            if (email is not null) Count(EmailKey(email), now);
        }
    }

    /// <summary>The person proved who they are. The address keeps its count: an attacker may own an account, too.</summary>
    public void Forgive(string email)
    {
        lock (_lock) _entries.Remove(EmailKey(email));
    }

    private void Count(string key, DateTime now)
    {
        var entry = _entries.TryGetValue(key, out var known) && known.Start + Window > now ? known : new(now, 0);
        if (_entries.Count >= MaxEntries && known == default) MakeRoom(now);
        _entries[key] = entry with { Count = entry.Count + 1 };
    }

    private void MakeRoom(DateTime now)
    {
        foreach (var (key, entry) in _entries) if (entry.Start + Window <= now) _entries.Remove(key);
        if (_entries.Count < MaxEntries) return;
        foreach (var key in _entries.OrderBy(e => e.Value.Count).ThenBy(e => e.Value.Start).Take(MaxEntries / 10).Select(e => e.Key).ToList()) _entries.Remove(key);
    }

    // One household or host owns a whole /64 of IPv6, so that is what counts as an address.
    private static string AddressKey(string address)
    {
        if (!IPAddress.TryParse(address, out var parsed)) return "a" + address;
        if (parsed.IsIPv4MappedToIPv6) parsed = parsed.MapToIPv4();
        return parsed.AddressFamily == AddressFamily.InterNetworkV6 ? "a" + Convert.ToHexStringLower(parsed.GetAddressBytes().AsSpan(0, 8)) : "a" + parsed;
    }

    private static string EmailKey(string email) => "e" + email;

    private readonly record struct Entry(DateTime Start, int Count);
}
