using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Channels.Inbound;

/// <summary>A message of a provider in the form that all have in common.</summary>
/// <param name="EventId">The provider's id of the message: one that came before is dropped.</param>
/// <param name="Contact">External id of the person, or of the group it was written in.</param>
/// <param name="ContactName">Name of either.</param>
/// <param name="Text">What was written, without the agent's own mention.</param>
/// <param name="To">Where answers go.</param>
internal sealed record InboundMessage(string EventId, string Contact, string? ContactName, string Text, ReplyAddress To)
{
    /// <summary>Who wrote it, in a group; null = the contact.</summary>
    public string? SenderId { get; init; }

    public string? SenderName { get; init; }

    public IReadOnlyList<InboundMedia> Media { get; init; } = [];

    /// <summary>The command it is, without its slash; null for what the agent is to answer.</summary>
    public string? Command => Text.Trim() switch
    {
        var text when text.Equals("/" + Reset, StringComparison.OrdinalIgnoreCase) => Reset,
        var text when text.Equals("/" + Stop, StringComparison.OrdinalIgnoreCase) => Stop,
        _ => null,
    };

    public const string Reset = "reset", Stop = "stop";

    public string ToText() => JsonSerializer.Serialize(this, WireJson.Responses);

    public static InboundMessage Parse(string text) => JsonSerializer.Deserialize<InboundMessage>(text, WireJson.Responses)!;
}

/// <summary>Where an answer goes.</summary>
/// <param name="Place">The provider's id of the conversation.</param>
/// <param name="InReplyTo">The message or thread it answers there; null = none.</param>
internal sealed record ReplyAddress(string Place, string? InReplyTo = null);

/// <summary>An image or file of a message, still at the provider.</summary>
/// <param name="Id">The provider's id.</param>
/// <param name="IsImage">Else a file.</param>
/// <param name="Name">As the sender called it.</param>
/// <param name="MediaType">As the provider says.</param>
internal sealed record InboundMedia(string Id, bool IsImage, string? Name, string? MediaType);
