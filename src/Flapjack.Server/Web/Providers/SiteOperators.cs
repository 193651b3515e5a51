namespace Flapjack.Server.Web.Providers;

/// <summary>Domains as words of the query, for engines that take them no other way.</summary>
internal static class SiteOperators
{
    private const int MaxSites = 5;

    /// <summary>The query with as much of the rules as fits; results are held against the rules anyway.</summary>
    public static string Add(string query, DomainRules rules, int longest)
    {
        var sites = rules.Allowed.Where(domain => domain.Length > 0).ToList();
        var words = sites.Count is > 0 and <= MaxSites
            ? " " + string.Join(" OR ", sites.Select(domain => $"site:{domain}"))
            : string.Concat(rules.Blocked.Where(domain => domain.Length > 0).Take(MaxSites).Select(domain => $" -site:{domain}"));
        var text = query.Length + words.Length <= longest ? query + words : query;
        return text.Length <= longest ? text : text[..longest];
    }
}
