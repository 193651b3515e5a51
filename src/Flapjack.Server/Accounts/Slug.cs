using System.Text;
using System.Text.RegularExpressions;

namespace Flapjack.Server.Accounts;

/// <summary>Short names of organisations for addresses: <c>a-z0-9-</c>.</summary>
internal static partial class Slug
{
    private const int MaxLength = 60;

    public const string Rule = "must be 1 to 60 of a-z, 0-9 and single hyphens inside, and no UUID";

    // An organisation may be named by slug or id, so no slug may look like an id.
    public static bool IsValid(string slug) => slug.Length <= MaxLength && Form().IsMatch(slug) && !Guid.TryParse(slug, out _);

    public static string From(string name)
    {
        var slug = new StringBuilder();
        foreach (var c in name.ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(c)) slug.Append(c);
            else if (slug.Length > 0 && slug[^1] != '-') slug.Append('-');
            if (slug.Length == MaxLength) break;
        }
        var text = slug.ToString().TrimEnd('-');
        return text.Length > 0 && !Guid.TryParse(text, out _) ? text : "organisation";
    }

    [GeneratedRegex(@"^[a-z0-9]+(-[a-z0-9]+)*\z")]
    private static partial Regex Form();
}
