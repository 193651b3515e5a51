using System.Text.Json;
using System.Text.Json.Nodes;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Agents.Configs;

/// <summary>How a sent field changes a saved one: absent leaves it, <c>null</c> restores the default.</summary>
internal static class ConfigFields
{
    public static T Over<T>(this Optional<T?> sent, T saved, T standard) where T : struct => sent.IsSet ? sent.Value ?? standard : saved;

    /// <summary>A config with the fields on top that came with a message, in either casing. Fields it does not have, or of another type, change nothing.</summary>
    public static T Over<T>(T saved, JsonElement sent) where T : class
    {
        var fields = JsonSerializer.SerializeToNode(saved, WireJson.Responses)!.AsObject();
        foreach (var field in sent.EnumerateObject())
        {
            var name = JsonNamingPolicy.SnakeCaseLower.ConvertName(field.Name);
            if (fields.ContainsKey(name)) fields[name] = JsonNode.Parse(field.Value.GetRawText());
        }
        try
        {
            return fields.Deserialize<T>(WireJson.Responses) ?? saved;
        }
        catch (JsonException)
        {
            return saved;
        }
    }

    public static T Over<T>(this Optional<T> sent, T saved, T standard) where T : class => sent.IsSet ? sent.Value ?? standard : saved;
}
