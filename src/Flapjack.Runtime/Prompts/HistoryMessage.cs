using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Prompts;

/// <summary>A text of a thread's history. It never changes, so a provider may keep the form it sent it in: a long thread is then copied to the wire instead of being written anew at every turn.</summary>
public sealed class HistoryMessage(ChatRole role, string text) : ChatMessage(role, text)
{
    /// <summary>The form it was last sent in; null until then. Whoever finds another format here replaces it.</summary>
    public SentForm? Sent { get; set; }
}

/// <summary>A message in a provider's format.</summary>
/// <param name="Format">Tells formats apart by reference.</param>
/// <param name="Json">One JSON value in UTF-8.</param>
public sealed record SentForm(object Format, ReadOnlyMemory<byte> Json);
