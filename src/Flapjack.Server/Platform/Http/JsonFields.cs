using System.Text.Json;

namespace Flapjack.Server.Platform.Http;

/// <summary>Reads fields of JSON that may be anything.</summary>
internal static class JsonFields
{
    /// <summary>A string field of an object; null when it is absent or something else.</summary>
    public static string? Text(this JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>An object in a field of an object; null when it is absent or something else.</summary>
    public static JsonElement? Object(this JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;
}
