using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Flapjack.Server.Agents.Marketplace;

/// <summary>The name under which a profile is found: lower-case letters, digits and hyphens, unique on the server.</summary>
internal static partial class MarketplaceHandle
{
    private const int Longest = 39, Numbered = 9;

    public static bool IsValid(string text) => Form().IsMatch(text);

    /// <summary>Handles to try for an agent of this name, best first: the name itself, then numbered, then one that hardly anybody has.</summary>
    /// <param name="name">The agent's name.</param>
    /// <param name="withNumbers">False: the last one only.</param>
    public static IReadOnlyList<string> Proposals(string name, bool withNumbers)
    {
        var stem = StemOf(name);
        var unlikely = With(stem, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(5)));
        if (!withNumbers) return [unlikely];
        var numbered = Enumerable.Range(2, Numbered - 1).Select(number => With(stem, number.ToString(CultureInfo.InvariantCulture)));
        return [stem, .. numbered, unlikely];
    }

    private static string With(string stem, string ending)
    {
        var room = Longest - ending.Length - 1;
        return $"{(stem.Length > room ? stem[..room].TrimEnd('-') : stem)}-{ending}";
    }

    // Names of other scripts leave nothing over.
    private static string StemOf(string name)
    {
        var stem = new StringBuilder(Longest);
        var gap = false;
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c))
            {
                gap = stem.Length > 0;
                continue;
            }
            if (stem.Length + (gap ? 2 : 1) > Longest) break;
            if (gap) stem.Append('-');
            gap = false;
            stem.Append(char.ToLowerInvariant(c));
        }
        return stem.Length switch { 0 => "agent", 1 => $"agent-{stem}", _ => stem.ToString() };
    }

    [GeneratedRegex(@"^[a-z0-9][a-z0-9-]{1,38}\z")]
    private static partial Regex Form();
}
