using System.Text.RegularExpressions;

namespace Flapjack.Server.Platform.Settings;

/// <summary>MCP servers: where their programs run, where servers are looked for, and clients at providers.</summary>
internal sealed record McpSettings(string Stdio, bool StdioNetwork, IReadOnlyList<string> StdioFolders, Uri RegistryUrl, IReadOnlyList<McpProviderSettings> Providers)
{
    public const string Sandbox = "sandbox", Host = "host", Off = "off";

    public static McpSettings Read(SettingsReader s) => new(
        s.OneOf("Mcp:Stdio", Sandbox, Sandbox, Host, Off),
        s.Flag("Mcp:StdioNetwork", false),
        ReadFolders(s),
        s.Address("Mcp:RegistryUrl") ?? new Uri("https://registry.modelcontextprotocol.io"),
        [.. s.Sections("Mcp:Providers").Select(section => McpProviderSettings.Read(s, section))]);

    private static IReadOnlyList<string> ReadFolders(SettingsReader s)
    {
        var folders = s.List("Mcp:StdioFolders");
        foreach (var fault in folders.Where(folder => !Path.IsPathRooted(folder) || folder.Split('/').Contains("..") || !Path.Exists(folder))) s.Refuse("Mcp:StdioFolders", $"'{fault}' is not the absolute path of something that exists");
        return folders;
    }
}

/// <summary>What the operator says about a provider of an MCP server. Absent values leave what is known of it.</summary>
internal sealed partial record McpProviderSettings(string Id)
{
    public string? ClientId { get; init; }
    public string? ClientSecret { get; init; }
    public string? Name { get; init; }
    public string? Description { get; init; }
    public string? Transport { get; init; }
    public Uri? Url { get; init; }
    public Uri? AuthorizeUrl { get; init; }
    public Uri? TokenUrl { get; init; }
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>A record's own text would print the secret.</summary>
    public override string ToString() => Id;

    public static McpProviderSettings Read(SettingsReader s, IConfigurationSection section)
    {
        var id = section.Key.ToLowerInvariant();
        if (!Form().IsMatch(id)) s.Refuse(section.Path, "the name must match ^[a-z0-9_-]{1,32}$");
        if (section["Transport"] is not (null or "streamable_http" or "sse")) s.Refuse($"{section.Path}:Transport", $"'{section["Transport"]}' is not one of streamable_http, sse");
        return new(id)
        {
            ClientId = section["ClientId"],
            ClientSecret = section["ClientSecret"],
            Name = section["Name"],
            Description = section["Description"],
            Transport = section["Transport"],
            Url = Address(s, section, "Url"),
            AuthorizeUrl = Address(s, section, "AuthorizeUrl"),
            TokenUrl = Address(s, section, "TokenUrl"),
            Scopes = [.. section.GetSection("Scopes").GetChildren().Select(c => c.Value).OfType<string>()],
        };
    }

    private static Uri? Address(SettingsReader s, IConfigurationSection section, string name)
    {
        if (section[name] is not { Length: > 0 } text) return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https") return address;
        s.Refuse($"{section.Path}:{name}", $"'{text}' is not an http or https address");
        return null;
    }

    [GeneratedRegex(@"^[a-z0-9_-]{1,32}\z")]
    private static partial Regex Form();
}
