using System.Text.RegularExpressions;
using Flapjack.Architecture.Tests.Reading;

namespace Flapjack.Architecture.Tests.Rules;

internal static partial class DocsRules
{
    public const string SettingsPage = "docs/settings.md";

    /// <summary>Relative links, and their anchors, that lead nowhere.</summary>
    public static IEnumerable<string> BrokenLinks(string page, string text)
    {
        foreach (Match link in Link().Matches(Code().Replace(text, "")))
        {
            var target = link.Groups[1].Value;
            if (target.Contains("://", StringComparison.Ordinal) || target.StartsWith("mailto:", StringComparison.Ordinal))
            {
                continue;
            }

            var parts = target.Split('#', 2);
            var path = parts[0].Length == 0
                ? Path.Combine(Repository.Root, page)
                : Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(page)!, parts[0]));
            if (!File.Exists(path) && !Directory.Exists(path))
            {
                yield return $"{page} links to {target}, which does not exist. Correct the path; it is relative to the page.";
            }
            else if (parts.Length == 2 && path.EndsWith(".md", StringComparison.Ordinal) && !Anchors(File.ReadAllText(path)).Contains(parts[1]))
            {
                yield return $"{page} links to {target}, but that page has no heading with this anchor.";
            }
        }
    }

    public static IEnumerable<string> UndocumentedSettings(IEnumerable<string> keys, string page) =>
        from key in keys
        where !page.Contains($"`{key}`", StringComparison.Ordinal)
        select $"The setting {key} is missing from {SettingsPage}. Add a row with `{key}`, its default and what it does.";

    public static IEnumerable<string> RowsTwice(string path, string page) =>
        from row in Row().Matches(page).Select(match => match.Groups[1].Value).CountBy(name => name)
        where row.Value > 1
        select $"{path} has {row.Value} rows for {row.Key}. Make them one.";

    private static HashSet<string> Anchors(string text) =>
        [.. Heading().Matches(Fence().Replace(text, "")).Select(heading => NotInAnchor().Replace(heading.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'))];

    [GeneratedRegex(@"^\| (`[^`|]+`) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\]\(([^)\s]+)[^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^```.*?^```|`[^`\n]*`", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"^#{1,6}\s+(.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();
}
