using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Flapjack.Runtime.Schemas;

/// <summary>The keywords of one subschema as the rules read them. A keyword of a wrong type is a problem of the schema and counts as absent.</summary>
internal sealed class SchemaSource(SchemaParser parser, JsonElement schema, Place place)
{
    public JsonElement? Any(string keyword) => schema.TryGetProperty(keyword, out var value) ? value : null;

    public JsonElement? Number(string keyword) => Of(keyword, JsonValueKind.Number);

    public JsonElement? Array(string keyword) => Of(keyword, JsonValueKind.Array);

    public bool Flag(string keyword) => Any(keyword)?.ValueKind == JsonValueKind.True;

    public int? Count(string keyword) =>
        Number(keyword) is { } number ? number.TryGetDouble(out var count) ? (int)Math.Clamp(count, 0, int.MaxValue) : 0 : null;

    public SchemaNode? Schema(string keyword) => Any(keyword) is { } value ? parser.Parse(value, place.In(keyword)) : null;

    public SchemaNode[]? Schemas(string keyword)
    {
        if (Array(keyword) is not { } list) return null;
        var nodes = new SchemaNode[list.GetArrayLength()];
        for (var i = 0; i < nodes.Length; i++) nodes[i] = parser.Parse(list[i], place.In(keyword).In(i.ToString(CultureInfo.InvariantCulture)));
        return nodes;
    }

    public Dictionary<string, SchemaNode>? Map(string keyword)
    {
        if (Of(keyword, JsonValueKind.Object) is not { } map) return null;
        var nodes = new Dictionary<string, SchemaNode>(StringComparer.Ordinal);
        foreach (var entry in map.EnumerateObject()) nodes[entry.Name] = parser.Parse(entry.Value, place.In(keyword).In(entry.Name));
        return nodes;
    }

    public List<string>? Names(string keyword) => Array(keyword) is { } list ? Names(list) : null;

    public Dictionary<string, List<string>>? NameLists(string keyword)
    {
        if (Of(keyword, JsonValueKind.Object) is not { } map) return null;
        var lists = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var entry in map.EnumerateObject())
        {
            if (entry.Value.ValueKind == JsonValueKind.Array) lists[entry.Name] = Names(entry.Value);
        }
        return lists;
    }

    public Regex? Pattern(string pattern)
    {
        var regex = SchemaPattern.TryCompile(pattern);
        if (regex is null) parser.Problem(place, $"the pattern '{pattern}' cannot be checked", isMistake: false);
        return regex;
    }

    public string? Text(string keyword) => Of(keyword, JsonValueKind.String)?.GetString();

    public void AddReferences(SchemaNode node)
    {
        if (Text("$ref") is { } reference)
        {
            var slot = parser.Reference(reference, place.In("$ref"));
            node.Rules.Add((value, check) => slot[0].Accepts(value, check));
        }
        if (Text("$dynamicRef") is { } dynamic)
        {
            var target = parser.DynamicReference(dynamic, place.In("$dynamicRef"));
            node.Rules.Add((value, check) => target.In(check).Accepts(value, check));
        }
    }

    public void Problem(string keyword, string what) => parser.Problem(place.In(keyword), what);

    public void NeedsSeenParts() => parser.NeedsSeenParts = true;

    /// <summary>Definitions hold for nobody by themselves; reading them makes their anchors known.</summary>
    public void ParseDefinitions() => Map("$defs");

    private JsonElement? Of(string keyword, JsonValueKind kind)
    {
        if (Any(keyword) is not { } value) return null;
        if (value.ValueKind == kind) return value;
        parser.Problem(place.In(keyword), $"is no {kind.ToString().ToLowerInvariant()}");
        return null;
    }

    private static List<string> Names(JsonElement list)
    {
        var names = new List<string>(list.GetArrayLength());
        foreach (var name in list.EnumerateArray())
        {
            if (name.ValueKind == JsonValueKind.String) names.Add(name.GetString()!);
        }
        return names;
    }
}
