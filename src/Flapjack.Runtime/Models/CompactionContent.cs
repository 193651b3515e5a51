using Flapjack.Runtime.Prompts;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Models;

/// <summary>In a model's stream: the provider has replaced everything before this answer by a summary. It has to be sent back at the head of the answer, and what stands before it need not be sent any more.</summary>
/// <param name="text">The summary.</param>
/// <param name="data">What else the provider wants back with it; null = nothing.</param>
/// <param name="beforeTokens">Tokens of the prompt that was summarised.</param>
/// <param name="afterTokens">Tokens of the prompt that was left.</param>
public sealed class CompactionContent(string text, string? data, long beforeTokens, long afterTokens) : AIContent
{
    /// <summary>Why a model stops that was told to pause after a compaction.</summary>
    public static readonly ChatFinishReason Paused = new("compaction");

    private const string Key = "flapjack.compaction";

    /// <summary>The summary.</summary>
    public string Text { get; } = text;

    /// <summary>What else the provider wants back.</summary>
    public string? Data { get; } = data;

    /// <summary>Tokens of the prompt that was summarised.</summary>
    public long BeforeTokens { get; } = beforeTokens;

    /// <summary>Tokens of the prompt that was left.</summary>
    public long AfterTokens { get; } = afterTokens;

    /// <summary>The summary as it stands in a prompt: text to every provider but the one that made it.</summary>
    public static TextContent InPrompt(string text, string? data)
    {
        var content = PromptSection.Create(PromptSection.Compaction, text);
        if (data is not null) content.AdditionalProperties![Key] = data;
        return content;
    }

    /// <summary>True for a summary in a prompt.</summary>
    public static bool Is(AIContent content) => PromptSection.NameOf(content) == PromptSection.Compaction;

    /// <summary>What else the provider wants back with a summary in a prompt.</summary>
    public static string? DataOf(AIContent content) => content.AdditionalProperties?.GetValueOrDefault(Key) as string;
}
