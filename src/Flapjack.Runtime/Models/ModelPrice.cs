using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Models;

/// <summary>Prices of a model in US dollars per million tokens; cache prices are multiples of the input price.</summary>
public sealed record ModelPrice(decimal Input, decimal Output, decimal CacheReadMultiplier = 1, decimal CacheWriteMultiplier = 1, decimal? CacheWrite1hMultiplier = null)
{
    /// <summary>Cost of one call in US dollars, unrounded.</summary>
    /// <param name="usage">Token counts; <see cref="ModelUsage.InputTokens"/> includes cached ones.</param>
    /// <param name="oneHourCache">True when cache entries were written with the one-hour lifetime.</param>
    public decimal CostOf(ModelUsage usage, bool oneHourCache = false)
    {
        var write = oneHourCache ? CacheWrite1hMultiplier ?? CacheWriteMultiplier : CacheWriteMultiplier;
        var plain = usage.InputTokens - usage.CacheReadTokens - usage.CacheWriteTokens;
        return (plain * Input + usage.CacheReadTokens * Input * CacheReadMultiplier + usage.CacheWriteTokens * Input * write
            + usage.OutputTokens * Output) / 1_000_000m;
    }
}

/// <summary>Token counts of a call or a turn. Input counts every prompt token, cached ones included.</summary>
public readonly record struct ModelUsage(long InputTokens, long OutputTokens, long CacheReadTokens = 0, long CacheWriteTokens = 0)
{
    /// <summary>Name under which providers report written cache tokens in <c>UsageDetails.AdditionalCounts</c>.</summary>
    public const string CacheWriteCount = "cache_write_tokens";

    /// <summary>What a provider counted; zeros where it counted nothing.</summary>
    public static ModelUsage Of(UsageDetails? counted) => counted is null ? default : new(
        counted.InputTokenCount ?? 0, counted.OutputTokenCount ?? 0, counted.CachedInputTokenCount ?? 0,
        counted.AdditionalCounts?.TryGetValue(CacheWriteCount, out var written) == true ? written : 0);

    /// <summary>Sum of two counts.</summary>
    public static ModelUsage operator +(ModelUsage a, ModelUsage b) => new(
        a.InputTokens + b.InputTokens, a.OutputTokens + b.OutputTokens,
        a.CacheReadTokens + b.CacheReadTokens, a.CacheWriteTokens + b.CacheWriteTokens);
}
