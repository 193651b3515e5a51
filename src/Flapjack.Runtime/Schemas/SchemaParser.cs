using System.Globalization;
using System.Text.Json;

namespace Flapjack.Runtime.Schemas;

/// <summary>Turns a schema document into nodes. References are resolved last, when every anchor and id is known.</summary>
internal sealed class SchemaParser(JsonElement document)
{
    private const int MaxDepth = 128;
    private static readonly Uri Base = new("schema://local/root");
    private readonly Dictionary<string, SchemaNode> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _resources = new(StringComparer.Ordinal) { [Base.AbsoluteUri] = "" };
    private readonly Dictionary<string, string> _anchors = new(StringComparer.Ordinal);
    private readonly Queue<(Uri Target, SchemaNode[] Slot)> _references = new();
    private readonly List<string> _problems = [];

    public IReadOnlyList<string> Problems => _problems;

    public SchemaNode Parse()
    {
        var root = Parse(document, new("", Base, 0));
        while (_references.TryDequeue(out var reference)) reference.Slot[0] = Resolve(reference.Target);
        return root;
    }

    public SchemaNode Parse(JsonElement schema, Place place)
    {
        if (_nodes.TryGetValue(place.Pointer, out var known)) return known;
        var node = new SchemaNode();
        _nodes[place.Pointer] = node;
        if (schema.ValueKind == JsonValueKind.False) node.Rules.Add(static (_, check) => check.Fail("is not allowed"));
        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False) return node;
        if (schema.ValueKind != JsonValueKind.Object || place.Depth > MaxDepth)
        {
            Problem(place, place.Depth > MaxDepth ? "is nested too deeply" : "is no schema");
            return node;
        }
        var source = new SchemaSource(this, schema, Name(schema, place));
        source.AddReference(node, "$ref");
        source.AddReference(node, "$dynamicRef");
        source.ParseDefinitions();
        ValueRules.Add(node, source);
        ObjectRules.Add(node, source);
        ArrayRules.Add(node, source);
        LogicRules.Add(node, source);
        return node;
    }

    public SchemaNode[] Reference(string reference, Place place)
    {
        SchemaNode[] slot = [SchemaNode.Anything];
        if (Uri.TryCreate(place.Base, reference, out var target)) _references.Enqueue((target, slot));
        else Problem(place, $"'{reference}' is no reference");
        return slot;
    }

    public void Problem(Place place, string what) => _problems.Add(string.Create(CultureInfo.InvariantCulture, $"#{place.Pointer}: {what}"));

    private Place Name(JsonElement schema, Place place)
    {
        if (Text(schema, "$id") is { } id && Uri.TryCreate(place.Base, id, out var named))
        {
            place = place with { Base = new Uri(named.GetLeftPart(UriPartial.Query)) };
            _resources.TryAdd(place.Base.AbsoluteUri, place.Pointer);
        }
        if ((Text(schema, "$anchor") ?? Text(schema, "$dynamicAnchor")) is { } anchor) _anchors.TryAdd($"{place.Base.AbsoluteUri}#{anchor}", place.Pointer);
        return place;
    }

    private SchemaNode Resolve(Uri target)
    {
        var resource = target.GetLeftPart(UriPartial.Query);
        var fragment = Uri.UnescapeDataString(target.Fragment.TrimStart('#'));
        var pointer = fragment.Length == 0 || fragment[0] == '/'
            ? _resources.TryGetValue(resource, out var start) ? start + fragment : null
            : _anchors.GetValueOrDefault($"{resource}#{fragment}");
        if (pointer is not null && Find(pointer) is { } schema) return Parse(schema, new(pointer, new(resource), 0));
        _problems.Add($"'{target.OriginalString}' leads nowhere in this schema");
        return SchemaNode.Anything;
    }

    private JsonElement? Find(string pointer)
    {
        var found = document;
        foreach (var part in pointer.Split('/')[1..])
        {
            var name = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (found.ValueKind == JsonValueKind.Object && found.TryGetProperty(name, out var property)) found = property;
            else if (found.ValueKind == JsonValueKind.Array && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < found.GetArrayLength()) found = found[index];
            else return null;
        }
        return found;
    }

    private static string? Text(JsonElement schema, string name) =>
        schema.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>Where a subschema stands: its pointer in the document, the base its references are relative to, how deep it is nested.</summary>
internal sealed record Place(string Pointer, Uri Base, int Depth)
{
    public Place In(string name) => this with
    {
        Pointer = $"{Pointer}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}",
        Depth = Depth + 1,
    };
}
