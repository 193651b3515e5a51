using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Agents.Compaction;

/// <summary>When the beginning of an agent's conversations is replaced by a summary.</summary>
internal sealed record CompactionConfig : IAgentConfig
{
    private const int MostTokens = 100_000_000;

    public static string Name => "compaction";

    public bool Enabled { get; init; }

    /// <summary>Tokens of a prompt above which Anthropic's API summarises it.</summary>
    public int AnthropicTriggerTokens { get; init; } = 150_000;

    /// <summary>Another prompt for that summary; null = the API's own.</summary>
    public string? AnthropicInstructions { get; init; }

    /// <summary>True: the turn ends when Anthropic's API has summarised.</summary>
    public bool AnthropicPauseAfter { get; init; }

    /// <summary>Tokens of a model call above which the turn ends with a summary, for every model without compaction of its own.</summary>
    public int OpenaiCompactThreshold { get; init; } = 100_000;

    /// <summary>Adds a fault for everything the contract does not allow.</summary>
    public void Check(FieldErrors errors)
    {
        errors.Range("anthropicTriggerTokens", AnthropicTriggerTokens, 50_000, MostTokens);
        errors.Text("anthropicInstructions", AnthropicInstructions, 20_000);
        errors.Range("openaiCompactThreshold", OpenaiCompactThreshold, 1_000, MostTokens);
    }
}
