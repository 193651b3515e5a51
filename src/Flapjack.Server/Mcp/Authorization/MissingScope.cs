using System.Net;
using System.Text.RegularExpressions;

namespace Flapjack.Server.Mcp.Authorization;

/// <summary>What a server wants beyond the scopes of a token it knows: <c>403</c> with <c>error="insufficient_scope"</c> (RFC 6750, 3.1).</summary>
internal static partial class MissingScope
{
    private const int MaxLength = 1_000;

    /// <summary>The scopes it names; null when it refuses for another reason or names none.</summary>
    public static string? Of(HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.Forbidden || !response.Headers.TryGetValues("WWW-Authenticate", out var challenges)) return null;
        var text = string.Join(", ", challenges);
        return Error().IsMatch(text) && Scope().Match(text) is { Success: true } scope && scope.Groups[1].Length <= MaxLength ? scope.Groups[1].Value : null;
    }

    /// <summary>The scopes asked for so far and those that are missing, each once.</summary>
    public static string Join(string? scope, string missing) => string.Join(' ', $"{scope} {missing}".Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal));

    [GeneratedRegex("\\berror=\"?insufficient_scope\\b", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Error();

    [GeneratedRegex("\\bscope=\"([^\"]+)\"", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Scope();
}
