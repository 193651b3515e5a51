using System.Text;

namespace Flapjack.Server.Accounts;

/// <summary>Short names of organisations for addresses: <c>a-z0-9-</c>.</summary>
internal static class Slug
{
    private const int MaxLength = 60;

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
        return text.Length > 0 ? text : "organisation";
    }
}
