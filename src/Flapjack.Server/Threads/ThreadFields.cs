using System.Text;
using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Threads;

/// <summary>Fields that threads and messages share: overlays and resource bindings.</summary>
internal static class ThreadFields
{
    private const int OverlayLimit = 50_000, MaxBindings = 20, DataLimit = 32 * 1024;

    /// <summary>A text, or texts joined with a blank line; null when absent, null or empty.</summary>
    public static string? Overlay(FieldErrors errors, string field, JsonElement? value)
    {
        var text = value?.ValueKind switch
        {
            null or JsonValueKind.Null => null,
            JsonValueKind.String => value.Value.GetString(),
            JsonValueKind.Array when value.Value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) =>
                string.Join("\n\n", value.Value.EnumerateArray().Select(item => item.GetString())),
            _ => throw ApiException.BadRequest($"{field}: must be a string or an array of strings"),
        };
        if (text?.Contains('\0', StringComparison.Ordinal) == true) throw ApiException.BadRequest($"{field}: must not contain the character U+0000");
        errors.Text(field, text, OverlayLimit);
        return string.IsNullOrEmpty(text) ? null : text;
    }

    /// <summary>Bindings in their stored form, a JSON array.</summary>
    public static string Bindings(FieldErrors errors, string field, List<ResourceBindingRequest?>? bindings)
    {
        if (bindings is null or []) return "[]";
        if (bindings.Count > MaxBindings) errors.Add(field, $"has more than {MaxBindings} bindings");
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = WireJson.Responses.Encoder }))
        {
            json.WriteStartArray();
            for (var i = 0; i < bindings.Count; i++) Write(json, errors, $"{field}[{i}]", bindings[i]);
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static void Write(Utf8JsonWriter json, FieldErrors errors, string field, ResourceBindingRequest? binding)
    {
        if (binding is null) throw ApiException.BadRequest($"{field}: must be an object");
        var type = binding.Type.Value ?? binding.ResourceType.Value;
        var id = binding.Id.Value ?? binding.ResourceId.Value;
        errors.Required($"{field}.type", type, 100);
        errors.Required($"{field}.id", id, 255);
        errors.Text($"{field}.label", binding.Label.Value, 300);
        errors.Text($"{field}.uri", binding.Uri.Value, 2_000);
        errors.Object($"{field}.data", binding.Data.Value, DataLimit);
        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteString("id", id);
        if (binding.Label.Value is { } label) json.WriteString("label", label);
        if (binding.Uri.Value is { } uri) json.WriteString("uri", uri);
        if (binding.Data.Value is { ValueKind: JsonValueKind.Object } data)
        {
            json.WritePropertyName("data");
            data.WriteTo(json);
        }
        json.WriteEndObject();
    }
}
