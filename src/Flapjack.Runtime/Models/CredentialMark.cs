using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Models;

/// <summary>Marks in a model's stream whose credential the request is made with; the request's span shows it. The mark holds no content, so a request may still be repeated behind it.</summary>
public static class CredentialMark
{
    private const string Key = "flapjack.credential_source";

    /// <summary>A mark.</summary>
    /// <param name="source"><c>byok</c> or <c>platform</c>.</param>
    public static ChatResponseUpdate Create(string source) => new() { AdditionalProperties = new() { [Key] = source } };

    /// <summary>What the mark says; null for any other update.</summary>
    public static string? SourceOf(ChatResponseUpdate update) =>
        update.Contents.Count == 0 && update.AdditionalProperties?.TryGetValue(Key, out var source) == true ? source as string : null;
}
