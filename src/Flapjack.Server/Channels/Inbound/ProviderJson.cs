using System.Globalization;
using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Channels.Inbound;

/// <summary>Reads what providers send, of which nothing is certain.</summary>
internal static class ProviderJson
{
    /// <summary>A text, or a whole number as its digits; null for anything else.</summary>
    public static string? IdOf(this JsonElement json, string name) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value.AsId() : null;

    public static string? AsId(this JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String when value.GetString() is { Length: > 0 } text => text,
        JsonValueKind.Number when value.TryGetInt64(out var number) => number.ToString(CultureInfo.InvariantCulture),
        _ => null,
    };

    public static bool IsTrue(this JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    /// <summary>The objects of an array in a field; none when there is no such array.</summary>
    public static IEnumerable<JsonElement> Objects(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object) : [];

    /// <summary>Names that are there, with a space between them.</summary>
    public static string? Join(params ReadOnlySpan<string?> names) => string.Join(' ', names!).Trim() is { Length: > 0 } text ? text : null;

    public static string? TextOf(this JsonElement? json, string name) => json?.Text(name);
}
