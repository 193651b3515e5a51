using System.Collections.Frozen;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Wire;

/// <summary>Whether a vendor can bind its model to a schema. Vendors demand that the whole is an object, that every object lists all its properties as required and allows no other, and know only some keywords.</summary>
internal static class StrictSchema
{
    private static readonly string[] Common =
        ["$schema", "$ref", "$defs", "definitions", "title", "description", "type", "enum", "const", "properties", "required", "additionalProperties", "items", "anyOf"];

    /// <summary>The keywords a vendor knows: those that all know, and its own.</summary>
    public static FrozenSet<string> Keywords(params string[] own) => FrozenSet.Create(StringComparer.Ordinal, [.. Common, .. own]);

    /// <summary>True when the caller wants it and the schema allows it.</summary>
    public static bool Holds(ChatOptions? options, JsonElement schema, FrozenSet<string> keywords) =>
        options?.AdditionalProperties?.TryGetValue("strictJsonSchema", out var strict) == true && strict is true
        && schema.Text("type") == "object" && IsClosed(schema, keywords);

    private static bool IsClosed(JsonElement schema, FrozenSet<string> keywords)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            return false;
        }
        foreach (var member in schema.EnumerateObject())
        {
            if (!keywords.Contains(member.Name))
            {
                return false;
            }
            var closed = member.Name switch
            {
                "items" => IsClosed(member.Value, keywords),
                "anyOf" => member.Value.ValueKind == JsonValueKind.Array && member.Value.EnumerateArray().All(form => IsClosed(form, keywords)),
                "properties" or "$defs" or "definitions" => member.Value.ValueKind == JsonValueKind.Object && member.Value.EnumerateObject().All(part => IsClosed(part.Value, keywords)),
                _ => true,
            };
            if (!closed)
            {
                return false;
            }
        }
        return !MayBeObject(schema) || ListsAll(schema);
    }

    private static bool MayBeObject(JsonElement schema) =>
        schema.TryGetProperty("properties", out _) || schema.Text("type") == "object"
        || schema.Child("type") is { ValueKind: JsonValueKind.Array } types && types.EnumerateArray().Any(type => type.ValueKind == JsonValueKind.String && type.GetString() == "object");

    private static bool ListsAll(JsonElement schema)
    {
        if (schema.Child("additionalProperties").ValueKind != JsonValueKind.False)
        {
            return false;
        }
        var required = schema.Child("required") is { ValueKind: JsonValueKind.Array } names
            ? names.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!).ToHashSet(StringComparer.Ordinal)
            : [];
        return schema.Child("properties") is not { ValueKind: JsonValueKind.Object } properties || properties.EnumerateObject().All(property => required.Contains(property.Name));
    }
}
