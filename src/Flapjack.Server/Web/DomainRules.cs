namespace Flapjack.Server.Web;

/// <summary>Which hosts an agent may see. An entry stands for the domain and all its subdomains; blocked wins.</summary>
internal sealed class DomainRules(IReadOnlyList<string> allowed, IReadOnlyList<string> blocked)
{
    /// <summary>What is allowed, as far as a list says so; empty = everything.</summary>
    public IReadOnlyList<string> Allowed => allowed;

    public IReadOnlyList<string> Blocked => blocked;

    public static DomainRules Of(WebConfig config) => new(config.AllowedDomains, config.BlockedDomains);

    public bool Allows(Uri address)
    {
        var host = address.IdnHost.TrimEnd('.');
        return !blocked.Any(domain => Covers(domain, host)) && (allowed.Count == 0 || allowed.Any(domain => Covers(domain, host)));
    }

    /// <summary>These rules narrowed to some of the domains. Domains that were not allowed are left out; null when none is left.</summary>
    public DomainRules? Within(IReadOnlyList<string> domains)
    {
        if (domains.Count == 0) return this;
        var kept = domains.Select(Normal).OfType<string>().SelectMany(Common).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        return kept.Count == 0 ? null : new(kept, blocked);
    }

    /// <summary>A domain in the one spelling that is compared; null when it is none. <c>*.example.com</c> and <c>.example.com</c> are <c>example.com</c>.</summary>
    public static string? Normal(string domain)
    {
        var name = domain.Trim().TrimEnd('.');
        if (name.StartsWith("*.", StringComparison.Ordinal)) name = name[2..];
        name = name.TrimStart('.');
        return name.Length is > 0 and <= 253 && Uri.CheckHostName(name) != UriHostNameType.Unknown && Uri.TryCreate($"http://{(name.Contains(':', StringComparison.Ordinal) ? $"[{name}]" : name)}/", UriKind.Absolute, out var uri) ? uri.IdnHost.ToLowerInvariant() : null;
    }

    // Of a wanted and an allowed domain the narrower one, if one lies in the other.
    private IEnumerable<string> Common(string wanted) =>
        allowed.Count == 0 ? [wanted] : allowed.Where(a => Covers(a, wanted) || Covers(wanted, a)).Select(a => Covers(a, wanted) ? wanted : a);

    private static bool Covers(string domain, string host) =>
        domain.Length > 0 && host.EndsWith(domain, StringComparison.OrdinalIgnoreCase) && (host.Length == domain.Length || host[^(domain.Length + 1)] == '.');
}
