using System.Globalization;
using Flapjack.Runtime.Models;

namespace Flapjack.Providers;

/// <summary>A model the server knows without configuration.</summary>
/// <param name="Id">Its id.</param>
/// <param name="DisplayName">Name for people.</param>
/// <param name="Vendor">Kind and name of its provider.</param>
/// <param name="ContextWindow">Tokens; null = not published.</param>
/// <param name="MaxOutputTokens">Tokens; null = not published.</param>
/// <param name="Price">Its price.</param>
/// <param name="MinCacheTokens">Shortest prompt the vendor caches.</param>
/// <param name="Supports">What it can do.</param>
/// <param name="Note">A remark for people.</param>
/// <param name="LongContextBeta">The context window needs a beta header.</param>
public sealed record CatalogModel(string Id, string DisplayName, string Vendor, int? ContextWindow, int? MaxOutputTokens, ModelPrice Price,
    int? MinCacheTokens, ModelSupport Supports, string? Note = null, bool LongContextBeta = false);

/// <summary>What a model can do.</summary>
/// <param name="Tools">Tool calls.</param>
/// <param name="Vision">Images.</param>
/// <param name="Files">Documents, handed over natively.</param>
/// <param name="JsonSchema">Answers bound to a JSON Schema.</param>
/// <param name="Temperature">Takes a temperature.</param>
/// <param name="Thinking">Extended thinking with a budget.</param>
/// <param name="NativeCompaction">The vendor compacts long conversations.</param>
public sealed record ModelSupport(bool Tools, bool Vision, bool Files, bool JsonSchema, bool Temperature, bool Thinking, bool NativeCompaction);

/// <summary>The models every installation knows.</summary>
public static class ModelCatalog
{
    /// <summary>Default model of new agents where a model credential exists.</summary>
    public const string DefaultId = "gpt-5.4";
    /// <summary>The model that writes compaction summaries.</summary>
    public const string SummaryId = "gpt-5.4-nano";
    /// <summary>The built-in model; the default where no credential exists.</summary>
    public const string OfflineId = "flapjack-offline";

    private static readonly ModelSupport OpenAI = new(true, true, true, true, Temperature: false, Thinking: false, NativeCompaction: false);
    private static readonly ModelSupport Anthropic = new(true, true, true, true, Temperature: true, Thinking: true, NativeCompaction: true);
    private static readonly ModelSupport Offline = new(Tools: true, false, false, JsonSchema: true, false, false, false);

    /// <summary>All models in the order in which lists show them.</summary>
    public static IReadOnlyList<CatalogModel> All { get; } =
    [
        Gpt("gpt-5.4", "GPT-5.4", 1_050_000, 2.50m, 15.00m),
        Gpt("gpt-5.4-mini", "GPT-5.4 mini", 400_000, 0.75m, 4.50m),
        Gpt("gpt-5.4-nano", "GPT-5.4 nano", 400_000, 0.20m, 1.25m, "compaction summaries"),
        Claude("claude-opus-4-7", "Claude Opus 4.7", 1_000_000, 5.00m, 25.00m, 4_096, "context in beta"),
        Claude("claude-opus-4-6", "Claude Opus 4.6", 1_000_000, 5.00m, 25.00m, 4_096, "context in beta, previous generation"),
        Claude("claude-sonnet-4-6", "Claude Sonnet 4.6", 1_000_000, 3.00m, 15.00m, 2_048, "context in beta"),
        Claude("claude-haiku-4-5", "Claude Haiku 4.5", null, 1.00m, 5.00m, 4_096, "fast tier"),
        new(OfflineId, "Flapjack Offline", ProviderKinds.Flapjack, 128_000, 16_000, new(0, 0), null, Offline, "built in"),
    ];

    private static readonly Dictionary<string, CatalogModel> ById = All.ToDictionary(model => model.Id, StringComparer.Ordinal);

    /// <summary>The entry of an id, exact or in its dated form <c>&lt;id&gt;-YYYYMMDD</c>; null when the catalog has none.</summary>
    public static CatalogModel? Find(string id) =>
        ById.GetValueOrDefault(id) ?? (IsDated(id) ? ById.GetValueOrDefault(id[..^9]) : null);

    private static bool IsDated(string id) =>
        id.Length > 9 && id[^9] == '-' && DateOnly.TryParseExact(id.AsSpan(id.Length - 8), "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    // The vendor's "cache write 0" means no surcharge: written tokens cost the input price.
    private static CatalogModel Gpt(string id, string name, int context, decimal input, decimal output, string? note = null) =>
        new(id, name, ProviderKinds.OpenAI, context, 128_000, new(input, output, 0.1m, 1m), 1_024, OpenAI, note);

    private static CatalogModel Claude(string id, string name, int? context, decimal input, decimal output, int minCache, string note) =>
        new(id, name, ProviderKinds.Anthropic, context, null, new(input, output, 0.1m, 1.25m, 2m), minCache, Anthropic, note, LongContextBeta: context is not null);
}
