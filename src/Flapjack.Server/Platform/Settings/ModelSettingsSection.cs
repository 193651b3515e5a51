using System.Globalization;
using System.Text.RegularExpressions;

namespace Flapjack.Server.Platform.Settings;

/// <summary>Default model and server-wide model providers.</summary>
internal sealed record ModelSettingsSection(string? Default, TimeSpan IdleTimeout, IReadOnlyDictionary<string, ServerProvider> Providers)
{
    public static ModelSettingsSection Read(SettingsReader s)
    {
        var providers = new Dictionary<string, ServerProvider>(StringComparer.Ordinal);
        foreach (var section in s.Sections("Providers"))
        {
            var name = section.Key.ToLowerInvariant();
            if (!ProviderNames.IsValid(name)) s.Refuse($"Providers:{section.Key}", "the name must match ^[a-z0-9_-]{1,32}$");
            providers[name] = ServerProvider.Read(s, section, name);
        }
        foreach (var name in (string[])["openai", "anthropic"])
        {
            var prefix = name.ToUpperInvariant();
            var key = s.Text($"{prefix}_API_KEY");
            var address = s.Address($"{prefix}_BASE_URL");
            var known = providers.GetValueOrDefault(name);
            if (key is null && address is null && known is null) continue;
            known ??= new ServerProvider(name, name, null, null, [], []);
            providers[name] = known with { ApiKey = known.ApiKey ?? key, BaseUrl = known.BaseUrl ?? address };
        }
        return new(s.Text("Models:Default"), s.Duration("Models:IdleTimeoutSeconds", 120, TimeSpan.FromSeconds, 0.1, 3_600), providers);
    }
}

/// <summary>Names of providers. Some say by themselves what is spoken there.</summary>
internal static partial class ProviderNames
{
    private static readonly string[] Fixed = ["openai", "anthropic", "perplexity", "brave", "tavily", "searxng", "firecrawl", "cursor", "github"];

    public static bool IsValid(string name) => Form().IsMatch(name);

    /// <summary>The one kind a provider of this name can have; null when its owner chooses.</summary>
    public static string? FixedKind(string name) => Array.IndexOf(Fixed, name) >= 0 ? name : null;

    [GeneratedRegex(@"^[a-z0-9_-]{1,32}\z")]
    private static partial Regex Form();
}

/// <summary>A provider the operator configured for every organisation.</summary>
internal sealed record ServerProvider(string Name, string Kind, string? ApiKey, Uri? BaseUrl, IReadOnlyList<ServerProviderModel> Models, IReadOnlyList<string> Betas)
{
    public static ServerProvider Read(SettingsReader s, IConfigurationSection section, string name)
    {
        var kind = section["Kind"] ?? ProviderNames.FixedKind(name) ?? "openai_compatible";
        if (ProviderNames.FixedKind(name) is { } only && kind != only)
            s.Refuse($"Providers:{section.Key}:Kind", $"'{kind}' is not {only}, the only kind of this name");
        else if (ProviderNames.FixedKind(name) is null && kind is not ("openai" or "anthropic" or "openai_compatible" or "anthropic_compatible"))
            s.Refuse($"Providers:{section.Key}:Kind", $"'{kind}' is not one of openai, anthropic, openai_compatible, anthropic_compatible");
        Uri? address = null;
        if (section["BaseUrl"] is { Length: > 0 } text && (!Uri.TryCreate(text, UriKind.Absolute, out address) || address.Scheme is not ("http" or "https")))
            s.Refuse($"Providers:{section.Key}:BaseUrl", $"'{text}' is not an http or https address");
        else if (kind.EndsWith("_compatible", StringComparison.Ordinal) && address is null)
            s.Refuse($"Providers:{section.Key}:BaseUrl", "is required for compatible providers");
        return new(name, kind, section["ApiKey"], address,
            [.. section.GetSection("Models").GetChildren().Select(m => ServerProviderModel.Read(s, m))],
            [.. section.GetSection("Betas").GetChildren().Select(b => b.Value).OfType<string>()]);
    }
}

/// <summary>A model of a server-wide provider; prices are US dollars per million tokens.</summary>
internal sealed record ServerProviderModel(string Id, string? DisplayName, int? ContextWindow, int? MaxOutputTokens, decimal? InputPrice, decimal? OutputPrice)
{
    // As settings and as the contract spell them.
    private static readonly (string Setting, string Name)[] Abilities =
        [("Tools", "tools"), ("Vision", "vision"), ("Files", "files"), ("JsonSchema", "json_schema"), ("Temperature", "temperature"), ("Thinking", "thinking"), ("NativeCompaction", "native_compaction")];

    /// <summary>What the operator says the model can and cannot do, by the contract's names.</summary>
    public IReadOnlyDictionary<string, bool> Supports { get; init; } = new Dictionary<string, bool>();

    public static ServerProviderModel Read(SettingsReader s, IConfigurationSection section)
    {
        var id = section["Id"] ?? section.Value ?? "";
        if (id.Length is 0 or > 200) s.Refuse($"{section.Path}:Id", "must have 1 to 200 characters");
        return new(id, section["DisplayName"], (int?)Number(s, section, "ContextWindow"), (int?)Number(s, section, "MaxOutputTokens"),
            Number(s, section, "InputUsdPerMtok"), Number(s, section, "OutputUsdPerMtok")) { Supports = AbilitiesOf(s, section.GetSection("Supports")) };
    }

    private static Dictionary<string, bool> AbilitiesOf(SettingsReader s, IConfigurationSection section)
    {
        var said = new Dictionary<string, bool>();
        foreach (var given in section.GetChildren())
        {
            var (_, name) = Array.Find(Abilities, ability => ability.Setting.Equals(given.Key, StringComparison.OrdinalIgnoreCase));
            if (name is null) s.Refuse(given.Path, $"is not known; there are {string.Join(", ", Abilities.Select(ability => ability.Setting))}");
            else if (bool.TryParse(given.Value, out var can)) said[name] = can;
            else s.Refuse(given.Path, $"'{given.Value}' is not true or false");
        }
        return said;
    }

    private static decimal? Number(SettingsReader s, IConfigurationSection section, string name)
    {
        if (section[name] is not { Length: > 0 } text) return null;
        if (decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= 0) return value;
        s.Refuse($"{section.Path}:{name}", $"'{text}' is not a number of 0 or more");
        return null;
    }
}
