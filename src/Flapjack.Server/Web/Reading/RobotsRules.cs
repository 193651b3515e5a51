using System.Globalization;
using System.Text;

namespace Flapjack.Server.Web.Reading;

/// <summary>What a robots.txt says to us, by RFC 9309: the groups of our name, else those for everybody; the longest rule wins, allowing ones on a tie.</summary>
internal sealed class RobotsRules
{
    private const int MaxRules = 1_000, LongestRule = 500, LongestFile = 512 * 1024, RuleBytes = 64;

    public static readonly RobotsRules Everything = new([], null);
    public static readonly RobotsRules Nothing = new([new("/", false)], null);

    private readonly IReadOnlyList<Rule> _rules;

    private RobotsRules(IReadOnlyList<Rule> rules, TimeSpan? pause) => (_rules, Pause) = (rules, pause);

    /// <summary>What the site wants to lie between two requests; null when it does not say.</summary>
    public TimeSpan? Pause { get; }

    /// <summary>About what they take in memory.</summary>
    public long Bytes => _rules.Sum(rule => (long)RuleBytes + rule.Path.Length * sizeof(char));

    /// <summary>Reads a file, its beginning if it is long. What makes no sense in it is skipped.</summary>
    public static RobotsRules Parse(string text, string robot)
    {
        var (ours, others) = (new Group(), new Group());
        var current = new List<Group>(2);
        var naming = false;
        foreach (var raw in (text.Length > LongestFile ? text[..LongestFile] : text).AsSpan().EnumerateLines())
        {
            var hash = raw.IndexOf('#');
            var line = (hash < 0 ? raw : raw[..hash]).Trim();
            var colon = line.IndexOf(':');
            if (colon <= 0) continue;
            var name = line[..colon].Trim();
            var value = line[(colon + 1)..].Trim();
            if (name.Equals("user-agent", StringComparison.OrdinalIgnoreCase))
            {
                // Names in a row share the rules that follow; a name behind rules begins a new group.
                if (!naming) current.Clear();
                naming = true;
                if (value is "*") current.Add(others);
                else if (Product(value).Equals(robot, StringComparison.OrdinalIgnoreCase)) current.Add(ours);
                continue;
            }
            var allows = name.Equals("allow", StringComparison.OrdinalIgnoreCase);
            if (allows || name.Equals("disallow", StringComparison.OrdinalIgnoreCase)) Add(current, value, allows);
            else if (name.Equals("crawl-delay", StringComparison.OrdinalIgnoreCase)) Delay(current, value);
            else continue;
            naming = false;
        }
        var group = ours.Named ? ours : others;
        return new(group.Rules, group.Pause);

        void Add(List<Group> groups, ReadOnlySpan<char> path, bool allows)
        {
            foreach (var group in groups)
            {
                group.Named = true;
                // An empty disallow forbids nothing.
                if (path.Length is > 0 and <= LongestRule && group.Rules.Count < MaxRules && Encoded(path) is { Length: <= LongestRule } rule) group.Rules.Add(new(rule, allows));
            }
        }

        void Delay(List<Group> groups, ReadOnlySpan<char> seconds)
        {
            if (!double.TryParse(seconds, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > 86_400) return;
            foreach (var group in groups) (group.Named, group.Pause) = (true, TimeSpan.FromSeconds(number));
        }
    }

    /// <summary>Whether a page may be fetched.</summary>
    public bool Allows(Uri address)
    {
        var path = address.PathAndQuery;
        var (best, allowed) = (-1, true);
        foreach (var rule in _rules)
        {
            if (rule.Path.Length < best || rule.Path.Length == best && !rule.Allows || !Matches(rule.Path, path)) continue;
            (best, allowed) = (rule.Path.Length, rule.Allows);
        }
        return allowed;
    }

    // "*" is any run, a "$" at the end pins it. Piece by piece from the left, so that no pattern takes long.
    private static bool Matches(string pattern, string path)
    {
        var pinned = pattern.EndsWith('$');
        var pieces = (pinned ? pattern[..^1] : pattern).Split('*');
        if (!path.StartsWith(pieces[0], StringComparison.Ordinal)) return false;
        var at = pieces[0].Length;
        for (var i = 1; i < pieces.Length; i++)
        {
            if (pinned && i == pieces.Length - 1) return path.Length - at >= pieces[i].Length && path.EndsWith(pieces[i], StringComparison.Ordinal);
            var found = path.IndexOf(pieces[i], at, StringComparison.Ordinal);
            if (found < 0) return false;
            at = found + pieces[i].Length;
        }
        return !pinned || at == path.Length;
    }

    private static ReadOnlySpan<char> Product(ReadOnlySpan<char> value)
    {
        var end = value.IndexOfAny('/', ' ');
        return end < 0 ? value : value[..end];
    }

    // Addresses are compared as they are sent: what is no ASCII is percent-encoded there.
    private static string Encoded(ReadOnlySpan<char> path)
    {
        if (System.Text.Ascii.IsValid(path)) return path.ToString();
        var text = new StringBuilder();
        foreach (var rune in path.EnumerateRunes()) text.Append(rune.IsAscii ? rune.ToString() : Uri.EscapeDataString(rune.ToString()));
        return text.ToString();
    }

    private sealed class Group
    {
        public List<Rule> Rules { get; } = [];
        public TimeSpan? Pause { get; set; }
        public bool Named { get; set; }
    }

    private sealed record Rule(string Path, bool Allows);
}
