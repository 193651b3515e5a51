using System.Text.RegularExpressions;

namespace Flapjack.Server.Mcp.Authorization;

/// <summary>What a guarded server says in <c>WWW-Authenticate</c> when it refuses (RFC 6750, RFC 9728).</summary>
/// <param name="Scope">The scopes it wants.</param>
/// <param name="Metadata">Where it describes itself.</param>
/// <param name="IsScopeMissing">It knows the token, which lacks a scope.</param>
internal sealed partial record BearerChallenge(string? Scope, string? Metadata, bool IsScopeMissing)
{
    public static BearerChallenge Parse(string header) => new(ValueOf(ScopeParameter().Match(header)), ValueOf(MetadataParameter().Match(header)), MissingScope().IsMatch(header));

    private static string? ValueOf(Match match) => match.Success ? match.Groups[1].Value : null;

    [GeneratedRegex("\\bscope=\"([^\"]{1,1000})\"", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex ScopeParameter();

    [GeneratedRegex("\\bresource_metadata=\"([^\"]+)\"", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex MetadataParameter();

    [GeneratedRegex("\\berror=\"?insufficient_scope\\b", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex MissingScope();
}
