using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Prompts;

/// <summary>One named part of the system prompt. Parts keep their names inside the server (the offline model and traces show them); providers see only the text.</summary>
public static class PromptSection
{
    /// <summary>The agent's own prompt.</summary>
    public const string StablePreamble = "stable_preamble";
    /// <summary>Bodies of attached skills.</summary>
    public const string Skills = "skills";
    /// <summary>Overlay of the effective tool profile.</summary>
    public const string ProfileOverlay = "profile_overlay";
    /// <summary>Overlay of the thread.</summary>
    public const string ThreadOverlay = "thread_overlay";
    /// <summary>Overlay of the message.</summary>
    public const string MessageOverlay = "message_overlay";
    /// <summary>Resources bound to the thread or message.</summary>
    public const string Resources = "resource_bindings";
    /// <summary>Recalled memories; reference material without instructions.</summary>
    public const string Memories = "memories";
    /// <summary>Retrieved knowledge; reference material without instructions.</summary>
    public const string Knowledge = "knowledge";
    /// <summary>The open plan of the thread, and how to go about it.</summary>
    public const string Plan = "plan";

    /// <summary>Summary of the messages that are not sent any more.</summary>
    public const string Summary = "conversation_summary";
    /// <summary>A summary that the provider made itself; stands at the head of the answer it came with.</summary>
    public const string Compaction = "compaction";

    /// <summary>Text of files attached to a message; stands in that user message.</summary>
    public const string Attachments = "attachments";

    private const string Key = "flapjack.section";

    /// <summary>A part of the system prompt.</summary>
    public static TextContent Create(string name, string text) => new(text) { AdditionalProperties = new() { [Key] = name } };

    /// <summary>The name a part was created with; null for other text.</summary>
    public static string? NameOf(AIContent content) => content.AdditionalProperties?.GetValueOrDefault(Key) as string;
}
