using System.Text.Json;
using System.Text.RegularExpressions;

namespace Flapjack.Server.Platform.Http;

/// <summary>The checks that many requests share. Each adds a fault and lets the request be checked on.</summary>
internal static partial class FieldRules
{
    public const int MetadataBytes = 16 * 1024;

    public static void Text(this FieldErrors errors, string field, string? value, int max, int min = 0)
    {
        if (value is null) return;
        if (value.Length > max) errors.Add(field, $"has more than {max} characters");
        else if (min > 0 && string.IsNullOrWhiteSpace(value)) errors.Add(field, "must not be blank");
    }

    public static void Required(this FieldErrors errors, string field, string? value, int max)
    {
        if (value is null) errors.Add(field, "is required");
        else errors.Text(field, value, max, min: 1);
    }

    public static void Range(this FieldErrors errors, string field, double? value, double min, double max)
    {
        if (value is { } number && !(number >= min && number <= max)) errors.Add(field, $"must be from {min} to {max}");
    }

    public static void OneOf(this FieldErrors errors, string field, string? value, params ReadOnlySpan<string> allowed)
    {
        if (value is null) return;
        foreach (var option in allowed) if (option == value) return;
        errors.Add(field, $"must be one of {string.Join(", ", allowed!)}");
    }

    /// <summary>An id in a body; null when absent or faulty.</summary>
    public static Guid? Id(this FieldErrors errors, string field, string? value, bool required = false)
    {
        if (value is null)
        {
            if (required) errors.Add(field, "is required");
            return null;
        }
        if (Guid.TryParseExact(value, "D", out var id)) return id;
        errors.Add(field, "is not a UUID");
        return null;
    }

    /// <summary>A JSON object of limited size.</summary>
    public static void Object(this FieldErrors errors, string field, JsonElement? value, int maxBytes)
    {
        if (value is not { } json || json.ValueKind == JsonValueKind.Null) return;
        if (json.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest($"{field}: must be an object");
        if (System.Text.Encoding.UTF8.GetByteCount(json.GetRawText()) > maxBytes) errors.Add(field, $"has more than {maxBytes} bytes");
    }

    public static bool IsToolName(string? name) => name is not null && ToolName().IsMatch(name);

    [GeneratedRegex(@"^[A-Za-z0-9_-]{1,64}\z")]
    private static partial Regex ToolName();
}
