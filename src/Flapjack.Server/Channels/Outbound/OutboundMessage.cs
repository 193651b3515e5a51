using Flapjack.Server.Channels.Inbound;

namespace Flapjack.Server.Channels.Outbound;

/// <summary>One message to a contact.</summary>
/// <param name="To">Where it goes.</param>
/// <param name="Contact">External id of the contact.</param>
/// <param name="Part">What it says.</param>
/// <param name="ThreadId">The thread; null before there is one.</param>
internal sealed record OutboundMessage(ReplyAddress To, string Contact, OutboundPart Part, Guid? ThreadId);

/// <summary>A message that is to be sent.</summary>
/// <param name="Text">Markdown, no longer than the provider takes once it is converted.</param>
/// <param name="MessageId">The message it is, or is a piece of; null for what the server itself says.</param>
internal sealed record OutboundPart(string Text, Guid? MessageId);
