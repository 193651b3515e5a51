using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Channels.Outbound;

/// <summary>Messages that are to be sent, as they are stored.</summary>
internal static class Outbox
{
    public static string ToText(IReadOnlyList<OutboundPart> parts) => JsonSerializer.Serialize(parts, WireJson.Responses);

    public static IReadOnlyList<OutboundPart> Parse(string? text) => text is null ? [] : JsonSerializer.Deserialize<List<OutboundPart>>(text, WireJson.Responses)!;
}
