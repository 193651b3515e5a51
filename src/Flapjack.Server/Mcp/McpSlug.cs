using System.Text;

namespace Flapjack.Server.Mcp;

/// <summary>The short name of a server, with which the names of its tools begin.</summary>
internal static class McpSlug
{
    private const int MaxLength = 24;

    /// <summary>Lower case, everything else <c>_</c>, one at a time and none at the ends, at most 24 characters.</summary>
    public static string Of(string name)
    {
        var slug = new StringBuilder(MaxLength);
        foreach (var character in name.ToLowerInvariant())
        {
            if (slug.Length == MaxLength) break;
            if (char.IsAsciiLetterOrDigit(character)) slug.Append(character);
            else if (slug.Length > 0 && slug[^1] != '_') slug.Append('_');
        }
        var text = slug.ToString().Trim('_');
        // A name without any such character still needs one.
        return text.Length > 0 ? text : "mcp";
    }

    /// <summary>The slug, or its first free variant: <c>_2</c>, <c>_3</c>, still at most 24 characters.</summary>
    public static string Free(string slug, IReadOnlySet<string> taken)
    {
        if (!taken.Contains(slug)) return slug;
        for (var number = 2; ; number++)
        {
            var suffix = $"_{number}";
            var free = slug[..Math.Min(slug.Length, MaxLength - suffix.Length)].TrimEnd('_') + suffix;
            if (!taken.Contains(free)) return free;
        }
    }
}
