using System.Text.Json;
using Flapjack.Providers;
using Flapjack.Runtime.Models;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Models;

/// <summary>What the owner of a provider says about one of its models. Stored as JSON in <see cref="ProviderConfig.Models"/>.</summary>
internal sealed record ModelEntry
{
    private static readonly ModelSupport Usual = new(Tools: true, Vision: false, Files: false, JsonSchema: true, Temperature: true, Thinking: false, NativeCompaction: false);

    public required string Id { get; init; }
    public string? DisplayName { get; init; }
    public int? ContextWindow { get; init; }
    public int? MaxOutputTokens { get; init; }
    public decimal? InputUsdPerMtok { get; init; }
    public decimal? OutputUsdPerMtok { get; init; }
    public decimal? CacheReadMultiplier { get; init; }
    public decimal? CacheWriteMultiplier { get; init; }
    public Dictionary<string, bool> Supports { get; init; } = [];

    public static IReadOnlyList<ModelEntry> Read(string json) => JsonSerializer.Deserialize<List<ModelEntry>>(json, WireJson.Responses)!;

    public static string Write(IReadOnlyList<ModelEntry> models) => JsonSerializer.Serialize(models, WireJson.Responses);

    public static ModelEntry From(ServerProviderModel model) => new()
    {
        Id = model.Id,
        DisplayName = model.DisplayName,
        ContextWindow = model.ContextWindow,
        MaxOutputTokens = model.MaxOutputTokens,
        InputUsdPerMtok = model.InputPrice,
        OutputUsdPerMtok = model.OutputPrice,
        Supports = new(model.Supports),
    };

    /// <summary>The price of a model: what the entry says, and the catalog for the rest; null when neither knows both directions.</summary>
    public static ModelPrice? PriceOf(ModelEntry? entry, CatalogModel? catalog)
    {
        var known = catalog?.Price;
        if ((entry?.InputUsdPerMtok ?? known?.Input) is not { } input || (entry?.OutputUsdPerMtok ?? known?.Output) is not { } output) return null;
        return new(input, output, entry?.CacheReadMultiplier ?? known?.CacheReadMultiplier ?? 1, entry?.CacheWriteMultiplier ?? known?.CacheWriteMultiplier ?? 1, known?.CacheWrite1hMultiplier);
    }

    public static ModelSupport SupportOf(ModelEntry? entry, CatalogModel? catalog)
    {
        var known = catalog?.Supports ?? Usual;
        if (entry is null || entry.Supports.Count == 0) return known;
        bool Flag(string name, bool fallback) => entry.Supports.TryGetValue(name, out var value) ? value : fallback;
        return new(Flag("tools", known.Tools), Flag("vision", known.Vision), Flag("files", known.Files), Flag("json_schema", known.JsonSchema),
            Flag("temperature", known.Temperature), Flag("thinking", known.Thinking), Flag("native_compaction", known.NativeCompaction));
    }
}
