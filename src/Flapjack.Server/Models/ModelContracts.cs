using Flapjack.Providers;

namespace Flapjack.Server.Models;

/// <summary>A model agents can use.</summary>
public sealed record ModelResponse
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
    public required int? ContextWindow { get; init; }
    /// <summary>Longest answer in tokens; null = not known.</summary>
    public required int? MaxOutputTokens { get; init; }
    /// <summary>US dollars per million input tokens; null = not known, costs are null.</summary>
    public required double? InputUsdPerMtok { get; init; }
    /// <summary>US dollars per million output tokens.</summary>
    public required double? OutputUsdPerMtok { get; init; }
    /// <summary>Price of tokens read from a cache, as a multiple of the input price.</summary>
    public required double? CacheReadMultiplier { get; init; }
    /// <summary>Price of tokens written to a cache, as a multiple of the input price.</summary>
    public required double? CacheWriteMultiplier { get; init; }
    /// <summary>The same for entries that live an hour, where the vendor offers them.</summary>
    [System.Text.Json.Serialization.JsonPropertyName("cache_write_1h_multiplier")]
    public required double? CacheWrite1hMultiplier { get; init; }
    /// <summary>Shortest prompt the vendor caches.</summary>
    public required int? MinCacheTokens { get; init; }
    /// <summary>What it can do.</summary>
    public required ModelSupport Supports { get; init; }
    /// <summary>New agents get it.</summary>
    public required bool IsDefault { get; init; }
    /// <summary>A credential exists.</summary>
    public required bool Available { get; init; }
    /// <summary>A remark for people.</summary>
    public required string? Note { get; init; }

    internal static ModelResponse From(ListedModel model, string defaultModel) => new()
    {
        Id = model.Choice.Id,
        Vendor = model.Choice.Vendor,
        Provider = model.Choice.Provider,
        DisplayName = model.DisplayName,
        ContextWindow = model.Choice.ContextWindow,
        MaxOutputTokens = model.Choice.MaxOutputTokens,
        InputUsdPerMtok = (double?)model.Choice.Price?.Input,
        OutputUsdPerMtok = (double?)model.Choice.Price?.Output,
        CacheReadMultiplier = (double?)model.Choice.Price?.CacheReadMultiplier,
        CacheWriteMultiplier = (double?)model.Choice.Price?.CacheWriteMultiplier,
        CacheWrite1hMultiplier = (double?)model.Choice.Price?.CacheWrite1hMultiplier,
        MinCacheTokens = model.Choice.MinCacheTokens,
        Supports = model.Choice.Supports,
        IsDefault = model.Choice.Id == defaultModel,
        Available = model.Choice.Endpoint is not null,
        Note = model.Note,
    };
}
