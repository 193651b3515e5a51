using System.Text.Json;

namespace Flapjack.Providers.Wire;

/// <summary>Reading and writing what the protocols share.</summary>
internal static class WireJson
{
    /// <summary>A string at the top of an object, without building a document. The whole text is read, so broken JSON is noticed.</summary>
    public static string? TopString(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name)
    {
        string? found = null;
        var json = new Utf8JsonReader(data);
        Begin(ref json);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var wanted = json.ValueTextEquals(name);
            json.Read();
            if (wanted && json.TokenType == JsonTokenType.String)
            {
                found = json.GetString();
            }
            else
            {
                json.Skip();
            }
        }
        return found;
    }

    /// <summary>Moves into the object that an event must be.</summary>
    public static void Begin(ref Utf8JsonReader json)
    {
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("An event is no object.");
        }
    }

    public static JsonElement Parse(ReadOnlySpan<byte> data)
    {
        var json = new Utf8JsonReader(data);
        var value = JsonElement.ParseValue(ref json);
        return value.ValueKind == JsonValueKind.Object ? value : throw new JsonException("An event is no object.");
    }

    public static string? Text(this JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static JsonElement Child(this JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) ? value : default;

    public static long? Number(this JsonElement parent, string name) =>
        parent.Child(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var number) ? number : null;

    public static void WriteRaw(this Utf8JsonWriter json, string name, string value)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(value, skipInputValidation: true);
    }

    public static void WriteElement(this Utf8JsonWriter json, string name, JsonElement value)
    {
        json.WritePropertyName(name);
        value.WriteTo(json);
    }
}
