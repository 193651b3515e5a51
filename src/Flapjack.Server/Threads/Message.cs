using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Threads;

/// <summary>One row of a thread's history: a user message, an answer, a model step that called tools, or a tool call with its result.</summary>
/// <remarks>
/// A turn that used tools is stored as its steps (role <c>step</c>) and calls (role <c>tool</c>) in order, then the answer with the
/// whole text. The model is given the steps and, of the answer, the text from <see cref="TailStart"/> on; people see the answer.
/// </remarks>
internal sealed class Message : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid ThreadId { get; init; }
    public required long Seq { get; init; }
    public Guid? TurnId { get; init; }

    /// <summary><c>user</c>, <c>assistant</c>, <c>step</c> or <c>tool</c>.</summary>
    public required string Role { get; init; }

    public required string Content { get; set; }
    public int TailStart { get; init; }

    /// <summary>Calls of a step as JSON.</summary>
    public string? ToolCalls { get; init; }

    /// <summary>Signed reasoning of a step.</summary>
    public string? Reasoning { get; init; }

    public string? ToolCallId { get; init; }
    public string? ToolName { get; init; }

    /// <summary>False while a call has only its intent stored.</summary>
    public bool Complete { get; set; } = true;

    public bool IsError { get; set; }

    /// <summary>Images and files of a user message as JSON; see <see cref="Attachments.MessageAttachments"/>.</summary>
    public string? Attachments { get; init; }

    public string? SenderName { get; init; }
    public string? SenderId { get; init; }
    public bool Stopped { get; init; }
    public string? Error { get; init; }
    public string? Model { get; init; }
    public long? InputTokens { get; init; }
    public long? OutputTokens { get; init; }
    public long? CacheReadTokens { get; init; }
    public long? CacheWriteTokens { get; init; }
    public double? CostUsd { get; init; }
    public required DateTime CreatedAt { get; init; }
}

internal static class MessageRoles
{
    public const string User = "user", Assistant = "assistant", Step = "step", Tool = "tool";
}

internal sealed class MessageMapping : IEntityTypeConfiguration<Message>
{
    public void Configure(EntityTypeBuilder<Message> builder)
    {
        builder.ToTable("messages");
        builder.HasIndex(m => new { m.ThreadId, m.Seq }).IsUnique();
    }
}
