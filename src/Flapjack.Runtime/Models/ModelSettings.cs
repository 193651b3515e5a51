using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Models;

/// <summary>What one turn asks of a vendor beyond <see cref="ChatOptions"/>. Providers ignore the part that is not theirs.</summary>
public sealed record ModelSettings
{
    /// <summary>Settings for Anthropic models.</summary>
    public AnthropicSettings Anthropic { get; init; } = new();

    /// <summary>Settings for OpenAI models.</summary>
    public OpenAISettings OpenAI { get; init; } = new();

    private const string Key = "flapjack.model_settings";

    /// <summary>Reads the settings that travel with <paramref name="options"/>.</summary>
    public static ModelSettings Of(ChatOptions? options) =>
        options?.AdditionalProperties?.TryGetValue(Key, out var value) == true && value is ModelSettings settings ? settings : new();

    /// <summary>Lets the settings travel with <paramref name="options"/>.</summary>
    public void AttachTo(ChatOptions options) => (options.AdditionalProperties ??= [])[Key] = this;
}

/// <summary>Prompt caching and thinking of Anthropic's Messages API.</summary>
public sealed record AnthropicSettings
{
    /// <summary>Token budget of extended thinking; null = thinking is off.</summary>
    public int? ThinkingBudgetTokens { get; init; }
    /// <summary>True: no cache breakpoints are sent.</summary>
    public bool CacheDisabled { get; init; }
    /// <summary><c>5m</c> or <c>1h</c>.</summary>
    public string CacheTtl { get; init; } = "5m";
    /// <summary>True: the tool list gets a breakpoint of its own.</summary>
    public bool CacheTools { get; init; } = true;
    /// <summary>Lets the provider summarise long conversations; null = it does not.</summary>
    public AnthropicCompaction? Compaction { get; init; }
}

/// <summary>When and how Anthropic's API summarises a conversation.</summary>
/// <param name="TriggerTokens">Tokens of a prompt above which it does.</param>
/// <param name="Instructions">Another prompt for the summary; null = the provider's own.</param>
/// <param name="PauseAfter">True: the answer ends with the summary.</param>
public sealed record AnthropicCompaction(int TriggerTokens, string? Instructions, bool PauseAfter);

/// <summary>Cache routing and abuse attribution of OpenAI's API.</summary>
public sealed record OpenAISettings
{
    /// <summary>True: neither key nor identifier is sent.</summary>
    public bool Disabled { get; init; }
    /// <summary><c>prompt_cache_key</c>; the thread id unless the client chose one.</summary>
    public string? PromptCacheKey { get; init; }
    /// <summary><c>safety_identifier</c>; the organisation id unless the client chose one.</summary>
    public string? SafetyIdentifier { get; init; }
}
