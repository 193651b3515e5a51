using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Models;

/// <summary>Creates a provider, or changes the fields that are sent. <c>null</c> clears a field or restores its default.</summary>
public sealed record ProviderRequest
{
    /// <summary><c>openai_compatible</c> (default) or <c>anthropic_compatible</c>; well-known names have the kind of the same name.</summary>
    public Optional<string> Kind { get; init; }
    /// <summary>Credential; write-only.</summary>
    public Optional<string> ApiKey { get; init; }
    /// <summary>Base address, including <c>/v1</c> where the server has it. Required for compatible kinds; private hosts only where the operator allows them.</summary>
    public Optional<string> BaseUrl { get; init; }
    /// <summary>Further request headers, name to value; write-only. Replaces all earlier ones.</summary>
    public Optional<Dictionary<string, string?>> Headers { get; init; }
    /// <summary>Models with what is known about them, at most 200. Replaces the earlier list.</summary>
    public Optional<List<ProviderModelRequest?>> Models { get; init; }
    /// <summary>False: the organisation's calls to this provider fail, and server-wide credentials do not stand in.</summary>
    public Optional<bool?> Enabled { get; init; }
}

/// <summary>What is known about a provider's model. Everything but the id is optional; an entry with a catalog id overrides the catalog.</summary>
public sealed record ProviderModelRequest
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
    public decimal? CacheReadMultiplier { get; init; }
    /// <summary>Price of tokens written to a cache, as a multiple of the input price.</summary>
    public decimal? CacheWriteMultiplier { get; init; }
    /// <summary>What the model can do.</summary>
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

/// <summary>An organisation's own provider, or one the operator set for everybody.</summary>
public sealed record ProviderResponse
{
    /// <summary>Its name; models are <c>&lt;provider&gt;/&lt;model&gt;</c>.</summary>
    public required string Provider { get; init; }
    /// <summary>What is spoken there.</summary>
    public required string Kind { get; init; }
    /// <summary>Base address; null = the vendor's own, or the operator's.</summary>
    public required string? BaseUrl { get; init; }
    /// <summary>True when a credential is stored.</summary>
    public required bool HasApiKey { get; init; }
    /// <summary>Names of the stored headers.</summary>
    public required IReadOnlyList<string> HeaderNames { get; init; }
    /// <summary>False: calls fail.</summary>
    public required bool Enabled { get; init; }
    /// <summary><c>org</c>, or <c>server</c> for one the operator set, which cannot be changed here.</summary>
    public required string Source { get; init; }
    /// <summary>Models with what is known about them.</summary>
    public required IReadOnlyList<ProviderModelResponse> Models { get; init; }
    /// <summary>Last change; null for the operator's.</summary>
    public required DateTime? UpdatedAt { get; init; }
}

/// <summary>A provider's model as configured.</summary>
public sealed record ProviderModelResponse
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
    public IReadOnlyDictionary<string, bool> Supports { get; init; } = new Dictionary<string, bool>();
    /// <summary>Price of tokens read from a cache, as a multiple of the input price.</summary>
    public decimal? CacheReadMultiplier { get; init; }
    /// <summary>Price of tokens written to a cache, as a multiple of the input price.</summary>
    public decimal? CacheWriteMultiplier { get; init; }

    internal static ProviderModelResponse From(ModelEntry model) => new()
    {
        Id = model.Id,
        DisplayName = model.DisplayName,
        ContextWindow = model.ContextWindow,
        MaxOutputTokens = model.MaxOutputTokens,
        InputUsdPerMtok = model.InputUsdPerMtok,
        OutputUsdPerMtok = model.OutputUsdPerMtok,
        Supports = model.Supports,
        CacheReadMultiplier = model.CacheReadMultiplier,
        CacheWriteMultiplier = model.CacheWriteMultiplier,
    };
}

/// <summary>Names the model that a test calls.</summary>
public sealed record ProviderTestRequest
{
    /// <summary>Name the provider knows, or <c>&lt;provider&gt;/&lt;model&gt;</c>. Default: a cheap one of the vendor's, or the provider's first.</summary>
    public Optional<string> Model { get; init; }
}

/// <summary>How a test call went.</summary>
public sealed record ProviderTestResponse
{
    /// <summary>The provider answered.</summary>
    public required bool Ok { get; init; }
    /// <summary>Time until the answer was whole; only when it went well.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public long? LatencyMs { get; init; }
    /// <summary>What went wrong, such as <c>AUTH_FAILED</c>.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }
    /// <summary>The same for people.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public string? Detail { get; init; }
}
