using System.Security.Cryptography;
using System.Text;

namespace Flapjack.Server.Integrations.Tools;

/// <summary>Names of the tools of several databases: the table's, with its schema outside the first one, with the integration's slug where two integrations have the same.</summary>
internal static class TableNames
{
    private const int Longest = 64, LongestSlug = 24, VerbLength = 6;

    /// <summary>For each table what stands around <c>query_</c> and <c>count_</c>. All are different and fit <c>^[A-Za-z0-9_-]{1,64}$</c>.</summary>
    public static IReadOnlyList<TableName> Of(IReadOnlyList<NamedTable> tables)
    {
        var bases = tables.Select(t => Word(t.InFirstSchema ? t.Table : $"{t.Schema}_{t.Table}")).ToList();
        var shared = bases.Zip(tables).GroupBy(pair => pair.First, StringComparer.Ordinal).Where(group => group.Select(pair => pair.Second.IntegrationId).Distinct().Count() > 1).Select(group => group.Key).ToHashSet(StringComparer.Ordinal);
        var slugs = Slugs(tables);
        var taken = new HashSet<string>(StringComparer.Ordinal);
        return [.. tables.Select((table, i) => Unique(shared.Contains(bases[i]) ? slugs[table.IntegrationId] + "__" : "", bases[i], taken))];
    }

    private static Dictionary<Guid, string> Slugs(IReadOnlyList<NamedTable> tables)
    {
        var (slugs, taken) = (new Dictionary<Guid, string>(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var table in tables)
        {
            if (slugs.ContainsKey(table.IntegrationId)) continue;
            var slug = Slug(table.Integration);
            for (var i = 2; !taken.Add(slug); i++) slug = Slug(table.Integration, $"_{i}");
            slugs.Add(table.IntegrationId, slug);
        }
        return slugs;
    }

    private static string Slug(string name, string suffix = "")
    {
        var slug = new StringBuilder(name.Length);
        foreach (var c in name)
        {
            if (char.IsAsciiLetterOrDigit(c)) slug.Append(char.ToLowerInvariant(c));
            else if (slug.Length > 0 && slug[^1] != '_') slug.Append('_');
        }
        var text = slug.ToString().Trim('_');
        if (text.Length == 0) text = "database";
        return text[..Math.Min(text.Length, LongestSlug - suffix.Length)].Trim('_') + suffix;
    }

    private static string Word(string name)
    {
        var word = new StringBuilder(name.Length);
        foreach (var c in name) word.Append(char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '_');
        return word.ToString();
    }

    private static TableName Unique(string prefix, string word, HashSet<string> taken)
    {
        var fitting = Fit(word, Longest - VerbLength - prefix.Length);
        var name = fitting;
        for (var i = 2; !taken.Add(prefix + name); i++) name = Fit(fitting, Longest - VerbLength - prefix.Length - 4) + $"_{i}";
        return new(prefix, name);
    }

    // What a long name loses is made up for by a hash, so that it stays the same whatever other tables there are.
    private static string Fit(string word, int length) =>
        word.Length <= length ? word : $"{word[..(length - 9)]}_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(word)).AsSpan(0, 4))}";
}

/// <summary>A table that gets tools.</summary>
internal sealed record NamedTable(Guid IntegrationId, string Integration, string Schema, string Table, bool InFirstSchema);

/// <summary>The parts of a table's tool names.</summary>
internal sealed record TableName(string Prefix, string Word)
{
    public string Query => $"{Prefix}query_{Word}";

    public string Count => $"{Prefix}count_{Word}";
}
