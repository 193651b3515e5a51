using System.Buffers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Secrets;

namespace Flapjack.Server.Mcp;

/// <summary>What a server is shown besides tokens: headers of requests, variables of a program. Stored encrypted, never given back.</summary>
internal sealed partial record McpCredentials(IReadOnlyDictionary<string, string> Headers, IReadOnlyDictionary<string, string> Env)
{
    public const string None = "none";
    private const int MaxHeaders = 32, MaxVariables = 64, MaxValue = 16_384;

    public static readonly McpCredentials Empty = new(new Dictionary<string, string>(), new Dictionary<string, string>());

    private static readonly SearchValues<char> TokenChars = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    // These frame the request, steer the connection or belong to the protocol; the client writes them itself.
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Connection", "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Upgrade", "TE", "Trailer", "Expect", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection",
        "Accept", "Accept-Encoding", "Last-Event-ID", "Mcp-Session-Id", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name",
    };

    /// <summary>How the stored credentials are called for people.</summary>
    public string Kind => Headers.Count > 0 ? "headers" : Env.Count > 0 ? "env" : None;

    /// <summary>A record's own text would print secrets.</summary>
    public override string ToString() => Kind;

    public static McpCredentials Read(McpCredentialsRequest? request, FieldErrors errors) => request is null ? Empty : new(HeadersOf(request.Headers.Value ?? [], errors), EnvOf(request.Env.Value ?? [], errors));

    public string? Seal(SecretBox secrets, Guid orgId, Guid id) =>
        Kind == None ? null : secrets.Seal(JsonSerializer.Serialize(this), McpServer.Place(orgId, id, "credentials"));

    public static McpCredentials Open(string? box, SecretBox secrets, Guid orgId, Guid id) =>
        box is null ? Empty : JsonSerializer.Deserialize<McpCredentials>(secrets.Open(box, McpServer.Place(orgId, id, "credentials")))!;

    private static Dictionary<string, string> HeadersOf(Dictionary<string, string?> sent, FieldErrors errors)
    {
        if (sent.Count > MaxHeaders) errors.Add("credentials.headers", $"has more than {MaxHeaders} entries");
        if (sent.Keys.Distinct(StringComparer.OrdinalIgnoreCase).Count() != sent.Count) errors.Add("credentials.headers", "names one header twice");
        var headers = new Dictionary<string, string>();
        foreach (var (name, value) in sent)
        {
            var field = $"credentials.headers.{name}";
            if (name.Length is 0 or > 100 || name.AsSpan().ContainsAnyExcept(TokenChars)) errors.Add(field, "is not a header name");
            else if (Reserved.Contains(name)) errors.Add(field, "cannot be set");
            if (value is null || value.Length > MaxValue || value.AsSpan().ContainsAnyExceptInRange(' ', '~')) errors.Add(field, $"must be at most {MaxValue} printable ASCII characters");
            headers[name] = value ?? "";
        }
        return headers;
    }

    private static Dictionary<string, string> EnvOf(Dictionary<string, string?> sent, FieldErrors errors)
    {
        if (sent.Count > MaxVariables) errors.Add("credentials.env", $"has more than {MaxVariables} entries");
        var env = new Dictionary<string, string>();
        foreach (var (name, value) in sent)
        {
            if (!Variable().IsMatch(name)) errors.Add($"credentials.env.{name}", "is not the name of a variable");
            if (value is null || value.Length > MaxValue) errors.Add($"credentials.env.{name}", $"must be at most {MaxValue} characters");
            env[name] = value ?? "";
        }
        return env;
    }

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]{0,99}\z")]
    private static partial Regex Variable();
}
