using System.Globalization;
using Npgsql;

namespace Flapjack.Server.Integrations.Postgres;

/// <summary>Where a database is and who logs in, read strictly from <c>postgresql://user:password@host:port/database</c>.</summary>
/// <remarks>
/// The usual drivers take far more: lists of hosts, sockets, service files, files with passwords and keys, session options. All of that would
/// reach into this server's machine or past its checks, so nothing is taken but what stands here. Faults never repeat what was sent.
/// </remarks>
internal sealed record DatabaseAddress(string Host, int Port, string Database, string User, string Password)
{
    private const int Longest = 2_000;

    public SslMode SslMode { get; private init; } = SslMode.Prefer;

    public ChannelBinding ChannelBinding { get; private init; } = ChannelBinding.Prefer;

    /// <summary>The address, or what is wrong with the text.</summary>
    public static (DatabaseAddress? Address, string? Fault) Parse(string text)
    {
        if (text.Length > Longest) return (null, $"has more than {Longest} characters");
        if (text.AsSpan().ContainsAnyInRange('\0', ' ') || text.Contains('\u007f', StringComparison.Ordinal)) return (null, "must not contain spaces or control characters");
        if (AfterScheme(text) is not { } rest) return (null, "must have the form postgresql://user:password@host:5432/database");
        if (rest.Contains('#', StringComparison.Ordinal)) return (null, "must not contain '#'; write it as %23 in a password");
        var (place, query) = Split(rest, rest.IndexOf('?', StringComparison.Ordinal));
        var (authority, database) = Split(place, place.IndexOf('/', StringComparison.Ordinal));
        var (login, host) = Split(authority, authority.LastIndexOf('@'));
        var (user, password) = Split(login, login.IndexOf(':', StringComparison.Ordinal));
        if (host is null || Decoded(user) is not { Length: > 0 } name || Decoded(password) is not { Length: > 0 } secret) return (null, "must name a user and a password before '@'");
        if (Decoded(database) is not { Length: > 0 } db || db.Contains('/', StringComparison.Ordinal)) return (null, "must name one database behind the host");
        if (HostAndPort(host) is not var (plain, port)) return (null, "must name one host, with a port from 1 to 65535 or none");
        return new DatabaseAddress(plain, port, db, name, secret).With(query ?? "");
    }

    /// <summary>A record's own text would print the password.</summary>
    public override string ToString() => nameof(DatabaseAddress);

    private (DatabaseAddress? Address, string? Fault) With(string query)
    {
        var address = this;
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, text) = Split(pair, pair.IndexOf('=', StringComparison.Ordinal));
            var value = Decoded(text) ?? "";
            switch (name)
            {
                case "sslmode" when Ssl(value) is { } mode:
                    address = address with { SslMode = mode };
                    break;
                case "channel_binding" when Enum.TryParse<ChannelBinding>(value, ignoreCase: true, out var binding) && !char.IsAsciiDigit(value[0]):
                    address = address with { ChannelBinding = binding };
                    break;
                case "sslmode" or "channel_binding":
                    return (null, $"has a value of {name} that is not known");
                // What providers of databases put into the strings they hand out, and what has no meaning here.
                case "application_name" or "connect_timeout" or "connection_limit" or "pgbouncer" or "pool_timeout" or "supa":
                    break;
                default:
                    return (null, "has a parameter other than sslmode and channel_binding");
            }
        }
        return (address, null);
    }

    private static string? AfterScheme(string text)
    {
        foreach (var scheme in (ReadOnlySpan<string>)["postgresql://", "postgres://"])
        {
            if (text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) return text[scheme.Length..];
        }
        return null;
    }

    private static (string Head, string? Tail) Split(string text, int at) => at < 0 ? (text, null) : (text[..at], text[(at + 1)..]);

    private static string? Decoded(string? text)
    {
        if (text is null) return null;
        var plain = Uri.UnescapeDataString(text);
        foreach (var c in plain) if (char.IsControl(c)) return null;
        return plain;
    }

    private static (string Host, int Port)? HostAndPort(string text)
    {
        var end = text.StartsWith('[') ? text.IndexOf(']', StringComparison.Ordinal) + 1 : text.IndexOf(':', StringComparison.Ordinal);
        var (host, rest) = end <= 0 ? (text, "") : (text[..end], text[end..]);
        var port = 5432;
        if (rest.Length > 0 && (rest[0] != ':' || !int.TryParse(rest.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65_535)) return null;
        var plain = host.StartsWith('[') ? host[1..^1] : host;
        var kind = Uri.CheckHostName(plain);
        var fits = host.StartsWith('[') ? kind == UriHostNameType.IPv6 && !plain.Contains('%', StringComparison.Ordinal) : kind is UriHostNameType.Dns or UriHostNameType.IPv4;
        return fits ? (plain, port) : null;
    }

    private static SslMode? Ssl(string value) => value switch
    {
        "disable" => SslMode.Disable,
        "allow" => SslMode.Allow,
        "prefer" => SslMode.Prefer,
        "require" => SslMode.Require,
        "verify-ca" => SslMode.VerifyCA,
        "verify-full" => SslMode.VerifyFull,
        _ => null,
    };
}
