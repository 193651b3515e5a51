using System.Text.RegularExpressions;

namespace Flapjack.Providers.Wire;

/// <summary>Makes a provider's message fit for a client: one line, short, without addresses and without anything that looks like a key.</summary>
internal static partial class ProviderMessage
{
    private const int MaxLength = 300;

    public static string? Clean(string? message, ModelEndpoint? endpoint)
    {
        if (string.IsNullOrWhiteSpace(message))
        {
            return null;
        }
        // Cut before matching, generously, so that no upstream text makes the expressions work long.
        var text = message.Length > 4 * MaxLength ? message[..(4 * MaxLength)] : message;
        text = Blanks().Replace(text, " ").Trim();
        if (endpoint is not null)
        {
            text = Without(text, endpoint.ApiKey);
            text = Without(text, endpoint.BaseUrl?.Host);
            foreach (var value in endpoint.Headers.Values)
            {
                text = Without(text, value);
            }
        }
        text = Secrets().Replace(text, "[…]");
        return text.Length > MaxLength ? string.Concat(text.AsSpan(0, MaxLength - 1), "…") : text;
    }

    private static string Without(string text, string? part) =>
        part is { Length: >= 3 } ? text.Replace(part, "[…]", StringComparison.OrdinalIgnoreCase) : text;

    [GeneratedRegex(@"[\s\p{C}]+", RegexOptions.NonBacktracking)]
    private static partial Regex Blanks();

    /// <summary>Addresses, bearer tokens, prefixed keys, and long runs that mix in digits.</summary>
    [GeneratedRegex(@"[a-z][a-z0-9+.\-]*://\S+|bearer\s+\S+|\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b|\b(sk|pk|key|ghp|gho|xox[a-z])[-_][A-Za-z0-9_\-*.]{4,}|[A-Za-z0-9_\-+/]{32,}={0,2}",
        RegexOptions.NonBacktracking | RegexOptions.IgnoreCase)]
    private static partial Regex Secrets();
}
