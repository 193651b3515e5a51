using System.Text.Json.Serialization;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Agents.Compaction;

/// <summary>Changes the fields that are sent; <c>null</c> restores a default.</summary>
public sealed record CompactionRequest
{
    private static readonly CompactionConfig Default = new();

    /// <summary>False (default): conversations are never summarised.</summary>
    public Optional<bool?> Enabled { get; init; }
    /// <summary>Tokens of a prompt above which Anthropic's API summarises it, at least 50,000; default 150,000.</summary>
    public Optional<int?> AnthropicTriggerTokens { get; init; }
    /// <summary>Prompt for that summary instead of the API's own, at most 20,000 characters.</summary>
    public Optional<string> AnthropicInstructions { get; init; }
    /// <summary>Whether the turn ends when Anthropic's API has summarised, so that the next message can add to the summary; default false.</summary>
    public Optional<bool?> AnthropicPauseAfter { get; init; }
    /// <summary>Tokens of a model call above which a turn ends with a summary, for models without compaction of their own; at least 1,000, default 100,000.</summary>
    public Optional<int?> OpenaiCompactThreshold { get; init; }

    /// <summary>The config with what was sent.</summary>
    internal CompactionConfig ApplyTo(CompactionConfig saved) => saved with
    {
        Enabled = Enabled.Over(saved.Enabled, Default.Enabled),
        AnthropicTriggerTokens = AnthropicTriggerTokens.Over(saved.AnthropicTriggerTokens, Default.AnthropicTriggerTokens),
        AnthropicInstructions = AnthropicInstructions.IsSet ? Blank(AnthropicInstructions.Value) : saved.AnthropicInstructions,
        AnthropicPauseAfter = AnthropicPauseAfter.Over(saved.AnthropicPauseAfter, Default.AnthropicPauseAfter),
        OpenaiCompactThreshold = OpenaiCompactThreshold.Over(saved.OpenaiCompactThreshold, Default.OpenaiCompactThreshold),
    };

    private static string? Blank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}

/// <summary>When the beginning of an agent's conversations is replaced by a summary. Fields come in both casings.</summary>
public sealed record CompactionResponse
{
    /// <summary>False: conversations are never summarised.</summary>
    public required bool Enabled { get; init; }
    /// <summary>Tokens of a prompt above which Anthropic's API summarises it.</summary>
    public required int AnthropicTriggerTokens { get; init; }
    /// <summary>Prompt for that summary; null = the API's own.</summary>
    public required string? AnthropicInstructions { get; init; }
    /// <summary>Whether the turn ends when Anthropic's API has summarised.</summary>
    public required bool AnthropicPauseAfter { get; init; }
    /// <summary>Tokens of a model call above which a turn ends with a summary, for other models.</summary>
    public required int OpenaiCompactThreshold { get; init; }
    /// <summary>Time of the last change, UTC; null when never saved.</summary>
    public required DateTime? UpdatedAt { get; init; }

    /// <summary>The same as <c>anthropic_trigger_tokens</c>.</summary>
    [JsonPropertyName("anthropicTriggerTokens")]
    public int TriggerTokens => AnthropicTriggerTokens;
    /// <summary>The same as <c>anthropic_instructions</c>.</summary>
    [JsonPropertyName("anthropicInstructions")]
    public string? Instructions => AnthropicInstructions;
    /// <summary>The same as <c>anthropic_pause_after</c>.</summary>
    [JsonPropertyName("anthropicPauseAfter")]
    public bool PauseAfter => AnthropicPauseAfter;
    /// <summary>The same as <c>openai_compact_threshold</c>.</summary>
    [JsonPropertyName("openaiCompactThreshold")]
    public int CompactThreshold => OpenaiCompactThreshold;

    internal static CompactionResponse From(CompactionConfig config, DateTime? updatedAt) => new()
    {
        Enabled = config.Enabled,
        AnthropicTriggerTokens = config.AnthropicTriggerTokens,
        AnthropicInstructions = config.AnthropicInstructions,
        AnthropicPauseAfter = config.AnthropicPauseAfter,
        OpenaiCompactThreshold = config.OpenaiCompactThreshold,
        UpdatedAt = updatedAt,
    };
}
