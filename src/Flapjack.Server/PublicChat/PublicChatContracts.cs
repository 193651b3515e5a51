using System.Text.Json;
using System.Text.Json.Serialization;
using Flapjack.Server.Agents.Publishing;
using Flapjack.Server.Files;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads;
using Flapjack.Server.Threads.Attachments;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.PublicChat;

/// <summary>A published chat as its page shows it.</summary>
public sealed record PublicChatResponse
{
    /// <summary>Last part of its address.</summary>
    public required string Slug { get; init; }
    /// <summary>Name of the chat.</summary>
    public required string Title { get; init; }
    /// <summary>What it is for.</summary>
    public required string? Description { get; init; }
    /// <summary><c>public</c> or <c>private</c>.</summary>
    public required string Visibility { get; init; }
    /// <summary>Whether every other call needs <c>X-Flapjack-Session</c>.</summary>
    public required bool RequiresSession { get; init; }
    /// <summary>Who answers.</summary>
    public required PublicAgent Agent { get; init; }
    /// <summary>Said before the visitor says anything.</summary>
    public required string? WelcomeMessage { get; init; }
    /// <summary>Questions to choose from.</summary>
    public required IReadOnlyList<string> SuggestedPrompts { get; init; }
    /// <summary>Whether messages may bring images and files.</summary>
    public required bool AllowAttachments { get; init; }

    internal static PublicChatResponse From(PublishedAgent chat) => new()
    {
        Slug = chat.Publication.Slug,
        Title = chat.Title,
        Description = chat.Description,
        Visibility = chat.Publication.Visibility,
        RequiresSession = chat.Publication.IsPrivate,
        Agent = new(chat.AgentName, null),
        WelcomeMessage = chat.Publication.WelcomeMessage,
        SuggestedPrompts = chat.Publication.Prompts,
        AllowAttachments = chat.Publication.AllowAttachments,
    };
}

/// <summary>Who answers in a published chat.</summary>
/// <param name="Name">Its name.</param>
/// <param name="AvatarUrl">Its picture; null without one.</param>
public sealed record PublicAgent(string Name, string? AvatarUrl);

/// <summary>Opens a thread in a published chat. Other fields are ignored.</summary>
public sealed record PublicThreadRequest
{
    /// <summary>At most 300 characters.</summary>
    public Optional<string> Title { get; init; }
}

/// <summary>A new thread of a published chat.</summary>
/// <param name="Id">UUID. In a public chat whoever knows it may read and write, unless the thread was opened with a session.</param>
/// <param name="Title">As sent.</param>
/// <param name="CreatedAt">Time of creation, UTC.</param>
/// <param name="SessionToken">Send it as <c>X-Flapjack-Session</c>.</param>
public sealed record PublicThreadResponse(Guid Id, string? Title, DateTime CreatedAt, [property: JsonPropertyName("sessionToken")] string SessionToken);

/// <summary>A visitor's message. Other fields are ignored: what the agent is and may do is settled by who published it.</summary>
public sealed record PublicMessageRequest
{
    /// <summary>The text, at most 400,000 characters. Required unless there are attachments.</summary>
    public Optional<string> Content { get; init; }
    /// <summary>Images and files, at most 10, where the chat allows them.</summary>
    public Optional<List<PublicAttachmentRequest?>> Attachments { get; init; }
    /// <summary><c>cancel</c> (default) ends the turn with its last listener; <c>continue</c> lets it run.</summary>
    public Optional<string> OnDisconnect { get; init; }
    /// <summary>What happens when a turn runs already: <c>reject</c> (default), <c>queue</c> or <c>interrupt</c>.</summary>
    public Optional<string> OnBusy { get; init; }

    internal MessageDraft ToDraft(bool withAttachments)
    {
        var errors = new FieldErrors();
        errors.Text("content", Content.Value, MessageDraft.ContentLimit);
        var attachments = withAttachments ? PublicAttachmentRequest.DraftsOf(Attachments.Value, errors) : [];
        var content = string.IsNullOrWhiteSpace(Content.Value) ? null : Content.Value;
        if (content is null && attachments.Count == 0) errors.Add("content", "is required");
        errors.OneOf("onDisconnect", OnDisconnect.Value, "cancel", "continue");
        errors.OneOf("onBusy", OnBusy.Value, "reject", "queue", "interrupt");
        errors.ThrowIfAny();
        return new()
        {
            Content = content,
            Attachments = attachments,
            Results = [],
            BringsTools = false,
            OnBusy = OnBusy.Value ?? "reject",
            Stream = true,
            Options = new() { Source = TurnDoors.Public, ContinueOnDisconnect = OnDisconnect.Value == "continue" },
        };
    }
}

/// <summary>An image or file of a visitor. Visitors bring content: they name no files of the organisation, and the server fetches nothing for them.</summary>
public sealed record PublicAttachmentRequest
{
    /// <summary><c>image</c> or <c>file</c>. Required.</summary>
    public Optional<string> Type { get; init; }
    /// <summary>At most 200 characters.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>What the sender takes it for.</summary>
    public Optional<string> MediaType { get; init; }
    /// <summary>The content in base64. Required.</summary>
    public Optional<Base64Field> Data { get; init; }

    internal static IReadOnlyList<AttachmentDraft> DraftsOf(List<PublicAttachmentRequest?>? attachments, FieldErrors errors)
    {
        if (attachments?.Count > AttachmentDraft.MaxAttachments) errors.Add("attachments", $"has more than {AttachmentDraft.MaxAttachments} attachments");
        return [.. (attachments ?? []).Take(AttachmentDraft.MaxAttachments).Select((one, i) => (one ?? throw ApiException.BadRequest($"attachments[{i}]: must be an object")).ToDraft($"attachments[{i}]", errors))];
    }

    private AttachmentDraft ToDraft(string field, FieldErrors errors)
    {
        errors.Required($"{field}.type", Type.Value, 100);
        errors.OneOf($"{field}.type", Type.Value, AttachmentDraft.Image, AttachmentDraft.File);
        errors.Text($"{field}.name", Name.Value, 200, min: 1);
        errors.Text($"{field}.mediaType", MediaType.Value, 255);
        if (Data.Value is not { IsText: true } data) errors.Add($"{field}.data", "is required, as a string");
        else if (data.Bytes is null) errors.Add($"{field}.data", "is not base64");
        return new(field, Type.Value ?? AttachmentDraft.File, Name.Value, MediaType.Value, null, Data.Value?.Bytes ?? [], null);
    }
}

/// <summary>A page of the messages of a thread.</summary>
/// <param name="Messages">In the order asked for.</param>
/// <param name="Total">What the same query would return without paging.</param>
public sealed record PublicMessagePage(IReadOnlyList<PublicMessage> Messages, long Total);

/// <summary>A message as visitors see it.</summary>
public sealed record PublicMessage
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary><c>user</c> or <c>assistant</c>.</summary>
    public required string Role { get; init; }
    /// <summary>The text.</summary>
    public required string Content { get; init; }
    /// <summary>When it was stored, UTC.</summary>
    public required DateTime CreatedAt { get; init; }
    /// <summary>True when the turn was stopped and this is what there was.</summary>
    public required bool Stopped { get; init; }
    /// <summary>Images and files; only where the chat allows them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? Attachments { get; init; }

    internal static PublicMessage From(Message message, bool withAttachments) => new()
    {
        Id = message.Id,
        Role = message.Role,
        Content = message.Content,
        CreatedAt = message.CreatedAt,
        Stopped = message.Stopped,
        Attachments = withAttachments ? JsonElement.Parse(message.Attachments ?? "[]") : null,
    };
}
