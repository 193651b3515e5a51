using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Models;

/// <summary>The stored form of what a provider wants back with a step besides its text and calls: a JSON array of <c>{"text","data"}</c>, where <c>data</c> is the provider's signature. Providers refuse to continue a step whose signed reasoning is missing.</summary>
/// <remarks>A summary that the provider made stands first, marked <c>"compaction":true</c>.</remarks>
public static class SignedReasoning
{
    /// <summary>The stored form; null when nothing is signed. Unsigned reasoning cannot be sent back and is left out.</summary>
    public static string? ToText(IReadOnlyList<TextReasoningContent> blocks, CompactionContent? compaction = null)
    {
        if (blocks.Count == 0 && compaction is null) return null;
        return JsonText.Write(writer =>
        {
            writer.WriteStartArray();
            if (compaction is not null)
            {
                writer.WriteStartObject();
                writer.WriteBoolean("compaction", true);
                writer.WriteString("text", compaction.Text);
                writer.WriteString("data", compaction.Data);
                writer.WriteEndObject();
            }
            foreach (var block in blocks)
            {
                writer.WriteStartObject();
                writer.WriteString("text", block.Text);
                writer.WriteString("data", block.ProtectedData);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        });
    }

    /// <summary>Reads the stored form back as it stands at the head of a message; empty for null.</summary>
    public static IReadOnlyList<AIContent> Parse(string? stored)
    {
        if (stored is null) return [];
        using var document = JsonDocument.Parse(stored);
        var contents = new List<AIContent>();
        foreach (var block in document.RootElement.EnumerateArray())
        {
            var (text, data) = (block.GetProperty("text").GetString(), block.GetProperty("data").GetString());
            contents.Add(block.TryGetProperty("compaction", out _) ? CompactionContent.InPrompt(text!, data) : new TextReasoningContent(text) { ProtectedData = data });
        }
        return contents;
    }
}
