using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Models;

/// <summary>The stored form of a step's reasoning: a JSON array of <c>{"text","data"}</c>, where <c>data</c> is the provider's signature. Providers refuse to continue a step whose signed reasoning is missing.</summary>
public static class SignedReasoning
{
    /// <summary>The stored form; null when nothing is signed. Unsigned reasoning cannot be sent back and is left out.</summary>
    public static string? ToText(IReadOnlyList<TextReasoningContent> blocks)
    {
        if (blocks.Count == 0) return null;
        return JsonText.Write(writer =>
        {
            writer.WriteStartArray();
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

    /// <summary>Reads the stored form back; empty for null.</summary>
    public static IReadOnlyList<TextReasoningContent> Parse(string? stored)
    {
        if (stored is null) return [];
        using var document = JsonDocument.Parse(stored);
        var blocks = new List<TextReasoningContent>();
        foreach (var block in document.RootElement.EnumerateArray())
        {
            blocks.Add(new(block.GetProperty("text").GetString()) { ProtectedData = block.GetProperty("data").GetString() });
        }
        return blocks;
    }
}
