using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Agents;

/// <summary>Tool profiles: checked when saved, read when a turn starts.</summary>
internal static class AgentProfiles
{
    private const int MaxProfiles = 32, OverlayLimit = 50_000;

    /// <summary>Adds a fault for everything that is not a profile object of the contract.</summary>
    public static void Check(FieldErrors errors, string field, JsonElement profiles)
    {
        if (profiles.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest($"{field}: must be an object");
        var count = 0;
        foreach (var profile in profiles.EnumerateObject())
        {
            var path = $"{field}.{profile.Name}";
            if (++count > MaxProfiles)
            {
                errors.Add(field, $"has more than {MaxProfiles} profiles");
                return;
            }
            if (!FieldRules.IsToolName(profile.Name)) errors.Add(path, "the name must match ^[A-Za-z0-9_-]{1,64}$");
            if (profile.Value.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest($"{path}: must be an object");
            CheckProfile(errors, path, profile.Value);
        }
    }

    /// <summary>Keys of a stored profile object.</summary>
    public static bool Has(string? profiles, string key) => Find(profiles, key) is not null;

    /// <summary>All profiles of a stored object.</summary>
    public static IReadOnlyList<ToolProfile> All(string? profiles)
    {
        if (profiles is null) return [];
        using var document = JsonDocument.Parse(profiles);
        return [.. document.RootElement.EnumerateObject().Select(Read)];
    }

    /// <summary>One profile; null when the key does not exist.</summary>
    public static ToolProfile? Find(string? profiles, string? key) => key is null ? null : All(profiles).FirstOrDefault(p => p.Name == key);

    private static void CheckProfile(FieldErrors errors, string path, JsonElement profile)
    {
        if (!profile.TryGetProperty("tools", out var tools)) errors.Add($"{path}.tools", "is required");
        else if (tools.ValueKind != JsonValueKind.Array) throw ApiException.BadRequest($"{path}.tools: must be an array");
        else if (tools.EnumerateArray().Any(t => t.ValueKind != JsonValueKind.String || t.GetString() is not { Length: >= 1 and <= 128 })) errors.Add($"{path}.tools", "must hold names or globs of 1 to 128 characters");
        if (Overlay(profile) is { } overlay)
        {
            if (overlay.ValueKind != JsonValueKind.String) throw ApiException.BadRequest($"{path}.systemPromptOverlay: must be a string");
            errors.Text($"{path}.systemPromptOverlay", overlay.GetString(), OverlayLimit);
        }
        foreach (var name in (string[])["label", "description"])
        {
            if (profile.TryGetProperty(name, out var text) && text.ValueKind is not (JsonValueKind.String or JsonValueKind.Null)) throw ApiException.BadRequest($"{path}.{name}: must be a string");
        }
        if (profile.TryGetProperty("switchable", out var flag) && flag.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) throw ApiException.BadRequest($"{path}.switchable: must be true or false");
    }

    private static ToolProfile Read(JsonProperty property) => new(
        property.Name,
        [.. property.Value.GetProperty("tools").EnumerateArray().Select(t => t.GetString()!)],
        Overlay(property.Value)?.GetString(),
        !property.Value.TryGetProperty("switchable", out var flag) || flag.GetBoolean(),
        property.Value.TryGetProperty("description", out var text) ? text.GetString() : null);

    private static JsonElement? Overlay(JsonElement profile) =>
        (profile.TryGetProperty("systemPromptOverlay", out var overlay) || profile.TryGetProperty("system_prompt_overlay", out overlay)) && overlay.ValueKind != JsonValueKind.Null ? overlay : null;
}
