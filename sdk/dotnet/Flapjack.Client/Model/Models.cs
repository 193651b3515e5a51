namespace Flapjack.Client;

/// <summary>A model agents can use.</summary>
public sealed record Model
{
    /// <summary>What <c>defaultModel</c> and <c>modelOverride</c> take.</summary>
    public required string Id { get; init; }

    /// <summary>Who makes or serves it.</summary>
    public required string Vendor { get; init; }

    /// <summary>The provider whose credential is used.</summary>
    public required string Provider { get; init; }

    /// <summary>Name for people.</summary>
    public required string DisplayName { get; init; }

    /// <summary>Tokens of prompt and answer together; null = not known.</summary>
    public int? ContextWindow { get; init; }

    /// <summary>Longest answer in tokens; null = not known.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>US dollars per million input tokens; null = not known, costs are null.</summary>
    public decimal? InputUsdPerMtok { get; init; }

    /// <summary>US dollars per million output tokens.</summary>
    public decimal? OutputUsdPerMtok { get; init; }

    /// <summary>Price of tokens read from a cache, as a multiple of the input price.</summary>
    public double? CacheReadMultiplier { get; init; }

    /// <summary>Price of tokens written to a cache, as a multiple of the input price.</summary>
    public double? CacheWriteMultiplier { get; init; }

    /// <summary>The same for entries that live an hour, where the vendor offers them.</summary>
    public double? CacheWrite1hMultiplier { get; init; }

    /// <summary>Shortest prompt the vendor caches.</summary>
    public int? MinCacheTokens { get; init; }

    /// <summary>What it can do.</summary>
    public required ModelSupport Supports { get; init; }

    /// <summary>New agents get it.</summary>
    public required bool IsDefault { get; init; }

    /// <summary>A credential exists.</summary>
    public required bool Available { get; init; }

    /// <summary>A remark for people.</summary>
    public string? Note { get; init; }
}

/// <summary>What a model can do.</summary>
public sealed record ModelSupport
{
    /// <summary>Tool calls.</summary>
    public required bool Tools { get; init; }

    /// <summary>Images.</summary>
    public required bool Vision { get; init; }

    /// <summary>Documents, handed over natively.</summary>
    public required bool Files { get; init; }

    /// <summary>Answers bound to a JSON Schema.</summary>
    public required bool JsonSchema { get; init; }

    /// <summary>Takes a temperature.</summary>
    public required bool Temperature { get; init; }

    /// <summary>Extended thinking with a budget.</summary>
    public required bool Thinking { get; init; }

    /// <summary>The vendor compacts long conversations.</summary>
    public required bool NativeCompaction { get; init; }
}

/// <summary>An organisation's own provider, or one the operator set for everybody.</summary>
public sealed record ModelProvider
{
    /// <summary>Its name; models are <c>&amp;lt;provider&amp;gt;/&amp;lt;model&amp;gt;</c>.</summary>
    public required string Provider { get; init; }

    /// <summary>What is spoken there.</summary>
    public required string Kind { get; init; }

    /// <summary>Base address; null = the vendor's own, or the operator's.</summary>
    public string? BaseUrl { get; init; }

    /// <summary>True when a credential is stored.</summary>
    public required bool HasApiKey { get; init; }

    /// <summary>Names of the stored headers.</summary>
    public required IReadOnlyList<string> HeaderNames { get; init; }

    /// <summary>False: calls fail.</summary>
    public required bool Enabled { get; init; }

    /// <summary><c>org</c>, or <c>server</c> for one the operator set, which cannot be changed here.</summary>
    public required string Source { get; init; }

    /// <summary>Models with what is known about them.</summary>
    public required IReadOnlyList<ProviderModel> Models { get; init; }

    /// <summary>Last change; null for the operator's.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A provider's model as configured.</summary>
public sealed record ProviderModel
{
    /// <summary>Name the provider knows.</summary>
    public required string Id { get; init; }

    /// <summary>Name for people.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Tokens of prompt and answer together.</summary>
    public int? ContextWindow { get; init; }

    /// <summary>Longest answer in tokens.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>US dollars per million input tokens.</summary>
    public decimal? InputUsdPerMtok { get; init; }

    /// <summary>US dollars per million output tokens.</summary>
    public decimal? OutputUsdPerMtok { get; init; }

    /// <summary>What the model can do, as far as configured.</summary>
    public IReadOnlyDictionary<string, bool>? Supports { get; init; }

    /// <summary>Price of tokens read from a cache, as a multiple of the input price.</summary>
    public double? CacheReadMultiplier { get; init; }

    /// <summary>Price of tokens written to a cache, as a multiple of the input price.</summary>
    public double? CacheWriteMultiplier { get; init; }
}

/// <summary>Creates a provider, or changes the fields that are sent. <c>null</c> clears a field or restores its default.</summary>
public sealed record ProviderRequest : FlapjackRequest
{
    /// <summary><c>openai_compatible</c> (default) or <c>anthropic_compatible</c>; well-known names have the kind of the same name.</summary>
    public string? Kind { get; init; }

    /// <summary>Credential; write-only.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Base address, including <c>/v1</c> where the server has it. Required for compatible kinds; private hosts only where the operator allows them.</summary>
    public string? BaseUrl { get; init; }

    /// <summary>Further request headers, name to value; write-only. Replaces all earlier ones.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>Models with what is known about them, at most 200. Replaces the earlier list.</summary>
    public IReadOnlyList<ProviderModelRequest>? Models { get; init; }

    /// <summary>False: the organisation's calls to this provider fail, and server-wide credentials do not stand in.</summary>
    public bool? Enabled { get; init; }
}

/// <summary>What is known about a provider's model. Everything but the id is optional; an entry with a catalog id overrides the catalog.</summary>
public sealed record ProviderModelRequest : FlapjackRequest
{
    /// <summary>Name the provider knows, 1 to 200 characters.</summary>
    public string? Id { get; init; }

    /// <summary>Name for people, at most 200 characters.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Tokens of prompt and answer together.</summary>
    public int? ContextWindow { get; init; }

    /// <summary>Longest answer in tokens.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>US dollars per million input tokens.</summary>
    public decimal? InputUsdPerMtok { get; init; }

    /// <summary>US dollars per million output tokens.</summary>
    public decimal? OutputUsdPerMtok { get; init; }

    /// <summary>Price of tokens read from a cache, as a multiple of the input price.</summary>
    public double? CacheReadMultiplier { get; init; }

    /// <summary>Price of tokens written to a cache, as a multiple of the input price.</summary>
    public double? CacheWriteMultiplier { get; init; }

    /// <summary>Supports.</summary>
    public ProviderModelSupport? Supports { get; init; }
}

/// <summary>What a provider's model can do; what is not said has the default of its kind.</summary>
public sealed record ProviderModelSupport
{
    /// <summary>Tool calls.</summary>
    public bool? Tools { get; init; }

    /// <summary>Images.</summary>
    public bool? Vision { get; init; }

    /// <summary>Documents, handed over natively.</summary>
    public bool? Files { get; init; }

    /// <summary>Answers bound to a JSON Schema.</summary>
    public bool? JsonSchema { get; init; }

    /// <summary>Takes a temperature.</summary>
    public bool? Temperature { get; init; }

    /// <summary>Extended thinking with a budget.</summary>
    public bool? Thinking { get; init; }

    /// <summary>The vendor compacts long conversations.</summary>
    public bool? NativeCompaction { get; init; }
}

/// <summary>Names the model that a test calls.</summary>
public sealed record ProviderTestRequest : FlapjackRequest
{
    /// <summary>Name the provider knows, or <c>&lt;provider&gt;/&lt;model&gt;</c>. Default: a cheap one of the vendor's, or the provider's first.</summary>
    public string? Model { get; init; }
}

/// <summary>How a test call went.</summary>
public sealed record ProviderTest
{
    /// <summary>The provider answered.</summary>
    public required bool Ok { get; init; }

    /// <summary>Time until the answer was whole; only when it went well.</summary>
    public long? LatencyMs { get; init; }

    /// <summary>What went wrong, such as <c>AUTH_FAILED</c>.</summary>
    public string? Error { get; init; }

    /// <summary>The same for people.</summary>
    public string? Detail { get; init; }
}
