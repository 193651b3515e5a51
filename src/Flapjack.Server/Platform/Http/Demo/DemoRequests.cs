using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flapjack.Server.Platform.Http.Demo;

/// <summary>The fields of a thread that the demo world gives back as they were sent.</summary>
internal sealed record DemoThreadRequest
{
    public Optional<string> AgentId { get; init; }
    public Optional<string> Title { get; init; }
    public Optional<string> Kind { get; init; }
    public Optional<string> Status { get; init; }
    public Optional<string> ActiveProfile { get; init; }
    public Optional<string> UserId { get; init; }
    public Optional<JsonElement?> SystemPromptOverlay { get; init; }
    public Optional<JsonElement?> ResourceBindings { get; init; }
    public Optional<JsonElement?> Metadata { get; init; }

    public void ApplyTo(JsonObject thread, FieldErrors errors, bool isNew)
    {
        errors.Text("title", Title.Value, 300);
        errors.OneOf("kind", Kind.Value, "single", "multiplayer");
        errors.OneOf("status", Status.Value, "active", "archived");
        errors.Text("userId", UserId.Value, 255);
        errors.Object("metadata", Metadata.Value, FieldRules.MetadataBytes);
        if (Title.IsSet) thread["title"] = Title.Value;
        if (ActiveProfile.IsSet) thread["active_profile"] = ActiveProfile.Value;
        if (SystemPromptOverlay.IsSet) thread["system_prompt_overlay"] = Overlay(SystemPromptOverlay.Value);
        if (ResourceBindings.Value is { ValueKind: JsonValueKind.Array } bindings) thread["resource_bindings"] = JsonNode.Parse(bindings.GetRawText());
        if (Metadata.Value is { ValueKind: JsonValueKind.Object } metadata) thread["metadata"] = JsonNode.Parse(metadata.GetRawText());
        if (isNew && Kind.Value is { } kind) thread["kind"] = kind;
        if (isNew && UserId.IsSet) thread["user_id"] = UserId.Value;
        if (!isNew && Status.Value is { } status) thread["status"] = status;
    }

    private static string? Overlay(JsonElement? value) => value switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        { ValueKind: JsonValueKind.Array } parts => string.Join("\n\n", parts.EnumerateArray().Select(p => p.ToString())),
        null or { ValueKind: JsonValueKind.Null } => null,
        _ => throw ApiException.BadRequest("systemPromptOverlay: must be a string or an array of strings"),
    };
}

/// <summary>The fields of a message that the demo world looks at.</summary>
internal sealed record DemoMessageRequest
{
    public Optional<string> Content { get; init; }
    public Optional<JsonElement?> ToolResults { get; init; }
    public Optional<JsonElement?> Attachments { get; init; }
    public Optional<bool?> Stream { get; init; }
}
