using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Channels;

/// <summary>What to change of a contact.</summary>
public sealed record ContactRequest
{
    /// <summary>Messages of blocked contacts are ignored; they are not told.</summary>
    public Optional<bool?> Blocked { get; init; }
    /// <summary>1 to 200 characters; null = the name the provider gives with the next message.</summary>
    public Optional<string> DisplayName { get; init; }
}

/// <summary>Somebody who wrote to a channel, or a group.</summary>
public sealed record ContactResponse
{
    /// <summary>Id.</summary>
    public required Guid Id { get; init; }
    /// <summary>The channel.</summary>
    public required Guid ChannelId { get; init; }
    /// <summary>The provider's id of the person or group.</summary>
    public required string ExternalId { get; init; }
    /// <summary>Null when the provider gives none.</summary>
    public required string? DisplayName { get; init; }
    /// <summary>The thread they are in; null before the first message, after <c>/reset</c> and when it was deleted.</summary>
    public required Guid? ThreadId { get; init; }
    /// <summary>Whether their messages are ignored.</summary>
    public required bool Blocked { get; init; }
    /// <summary>Messages that reached the agent.</summary>
    public required int MessageCount { get; init; }
    /// <summary>UTC.</summary>
    public required DateTime FirstSeenAt { get; init; }
    /// <summary>UTC.</summary>
    public required DateTime LastSeenAt { get; init; }

    internal static ContactResponse From(ChannelContact row) => new()
    {
        Id = row.Id,
        ChannelId = row.ChannelId,
        ExternalId = row.ExternalId,
        DisplayName = row.DisplayName,
        ThreadId = row.ThreadId,
        Blocked = row.Blocked,
        MessageCount = row.MessageCount,
        FirstSeenAt = row.FirstSeenAt,
        LastSeenAt = row.LastSeenAt,
    };
}
