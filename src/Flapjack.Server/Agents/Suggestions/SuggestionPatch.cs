using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Agents.Suggestions;

/// <summary>What a patch may hold: <c>agent</c> or the name of a config, and the fields that are to change there.</summary>
internal static class SuggestionPatch
{
    private const int MaxBytes = 16 * 1024, MaxDepth = 30;

    /// <summary>What a reviewing model is shown, and may propose to change. Left out is where addresses of others and secrets stand: nobody shall be led to paste an attacker's.</summary>
    public static readonly string[] Reviewed = ["agent", .. ReviewedConfigs];

    private static readonly string[] All = [.. Reviewed, "computer", "credentials", "delegated", "scheduled-tasks"];

    public static string[] ReviewedConfigs => ["web", "memory", "plan", "compaction", "multiplayer", "knowledge"];

    /// <summary>Checks a patch that a client sent.</summary>
    public static void Check(FieldErrors errors, JsonElement? patch)
    {
        errors.Object("patch", patch, MaxBytes);
        if (patch is not { ValueKind: JsonValueKind.Object } sent) return;
        foreach (var part in sent.EnumerateObject())
        {
            if (!All.Contains(part.Name)) errors.Add("patch", $"has a part that is neither agent nor a config; known are {string.Join(", ", All)}");
            else if (part.Value.ValueKind != JsonValueKind.Object) errors.Add($"patch.{part.Name}", "must be an object of fields");
        }
        if (DepthOf(sent.GetRawText()) > MaxDepth) errors.Add("patch", $"is nested deeper than {MaxDepth} levels");
    }

    /// <summary>What of a model's patch may be kept, as JSON; null when nothing may.</summary>
    /// <param name="proposed">An object, or a text that holds one.</param>
    public static string? Kept(JsonElement proposed)
    {
        try
        {
            var node = proposed.ValueKind == JsonValueKind.String ? JsonNode.Parse(proposed.GetString()!) : JsonNode.Parse(proposed.GetRawText());
            if (node is not JsonObject sent) return null;
            var kept = new JsonObject();
            foreach (var name in Reviewed)
            {
                if (sent[name] is JsonObject { Count: > 0 } fields) kept[name] = fields.DeepClone();
            }
            var text = kept.ToJsonString();
            return kept.Count > 0 && text.Length <= MaxBytes && DepthOf(text) <= MaxDepth ? text : null;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or ArgumentException)
        {
            // No JSON, half characters, or a field twice: the proposal may be good without it.
            return null;
        }
    }

    /// <summary>How deep it nests. Reads every text on the way, which throws where one holds half a character: answers could not show it.</summary>
    private static int DepthOf(string json)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json));
        var deepest = 0;
        while (reader.Read())
        {
            deepest = Math.Max(deepest, reader.CurrentDepth);
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName) _ = reader.GetString();
        }
        return deepest;
    }
}
