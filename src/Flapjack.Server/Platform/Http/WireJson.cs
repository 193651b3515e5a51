using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Flapjack.Server.Platform.Http;

/// <summary>The two JSON dialects of the wire: requests in camelCase with every snake_case spelling accepted, responses in snake_case.</summary>
internal static class WireJson
{
    /// <summary>Reads requests. When both spellings of a field are present, camelCase wins.</summary>
    public static readonly JsonSerializerOptions Requests = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.Strict,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { AcceptSnakeCase } },
        Converters = { new TextConverter(), new TimeConverter() },
    };

    /// <summary>Writes responses and stored documents.</summary>
    public static readonly JsonSerializerOptions Responses = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        Converters = { new TimeConverter() },
    };

    private static void AcceptSnakeCase(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object) return;
        foreach (var property in type.Properties.ToList())
        {
            var snake = JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
            if (snake == property.Name || property.Set is not { } set || type.Properties.Any(p => p.Name == snake)) continue;
            var alias = type.CreateJsonPropertyInfo(property.PropertyType, snake);
            alias.Set = property.Get is { } get && typeof(IOptional).IsAssignableFrom(property.PropertyType)
                ? (target, value) => { if (get(target) is IOptional { IsSet: false }) set(target, value); }
                : set;
            type.Properties.Add(alias);
        }
    }

    /// <summary>PostgreSQL cannot store U+0000 in text, so no request may carry it into a field.</summary>
    private sealed class TextConverter : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.String) throw new JsonException();
            var text = reader.GetString()!;
            return text.Contains('\0', StringComparison.Ordinal) ? throw new JsonException("must not contain the character U+0000") : text;
        }

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
    }

    /// <summary>ISO 8601 in UTC with whole seconds, three or six decimals; input may carry an offset and up to seven.</summary>
    private sealed class TimeConverter : JsonConverter<DateTime>
    {
        public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String && WireTime.TryParse(reader.GetString(), out var time) ? time : throw new JsonException("is not an ISO 8601 time");

        public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options)
        {
            Span<char> text = stackalloc char[32];
            writer.WriteStringValue(text[..WireTime.Format(value, text)]);
        }
    }
}

/// <summary>Times as the wire spells them.</summary>
internal static class WireTime
{
    public static string Format(DateTime value)
    {
        Span<char> text = stackalloc char[32];
        return new string(text[..Format(value, text)]);
    }

    public static int Format(DateTime value, Span<char> target)
    {
        var fraction = value.Ticks % TimeSpan.TicksPerSecond;
        var format = fraction == 0 ? "yyyy-MM-ddTHH:mm:ssZ"
            : fraction % TimeSpan.TicksPerMillisecond == 0 ? "yyyy-MM-ddTHH:mm:ss.fffZ"
            : "yyyy-MM-ddTHH:mm:ss.ffffffZ";
        value.TryFormat(target, out var written, format, CultureInfo.InvariantCulture);
        return written;
    }

    public static bool TryParse(string? text, out DateTime value)
    {
        var ok = DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var parsed) && text!.Contains('-', StringComparison.Ordinal);
        value = ok ? Clock.Truncate(parsed.UtcDateTime) : default;
        return ok;
    }
}

/// <summary>Reads fields of JSON that may be anything.</summary>
internal static class JsonFields
{
    /// <summary>A string field of an object; null when it is absent or something else.</summary>
    public static string? Text(this JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>An object in a field of an object; null when it is absent or something else.</summary>
    public static JsonElement? Object(this JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : null;
}
