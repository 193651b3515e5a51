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
    private readonly Dictionary<(string Resource, string Name), Place> _dynamicAnchors = [];
    private readonly Queue<(Uri Target, SchemaNode[] Slot, Place From)> _references = new();
    private readonly List<DynamicTarget> _dynamicTargets = [];
    private readonly List<SchemaProblem> _problems = [];

    public IReadOnlyList<SchemaProblem> Problems => _problems;

    /// <summary>Some keyword asks what other keywords looked at.</summary>
    public bool NeedsSeenParts { get; set; }

    public SchemaNeeds Needs => new(NeedsSeenParts, _dynamicTargets.Count > 0);

    public SchemaNode Parse()
    {
        var root = Parse(document, new("", Base, 0));
        Resolve();
        // A target of a dynamic reference may hold further references and anchors.
        for (var known = 0; known < _dynamicAnchors.Count;)
        {
            known = _dynamicAnchors.Count;
            foreach (var ((resource, name), place) in _dynamicAnchors.ToList())
            {
                foreach (var target in _dynamicTargets.ToList()) target.Offer(resource, name, () => Parse(Find(place.Pointer)!.Value, place));
            }
            Resolve();
        }
        return root;
    }

    public SchemaNode Parse(JsonElement schema, Place place)
    {
        if (_nodes.TryGetValue(place.Pointer, out var known)) return known;
        var named = schema.ValueKind == JsonValueKind.Object ? Name(schema, place) : place;
        var node = new SchemaNode(named.Base.AbsoluteUri);
        _nodes[place.Pointer] = node;
        if (schema.ValueKind == JsonValueKind.False) node.Rules.Add(static (_, check) => check.Fail("is not allowed"));
        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False) return node;
        if (schema.ValueKind != JsonValueKind.Object || place.Depth > MaxDepth)
        {
            Problem(place, place.Depth > MaxDepth ? "is nested too deeply" : "is no schema");
            return node;
        }
        var source = new SchemaSource(this, schema, named);
        source.AddReferences(node);
        source.ParseDefinitions();
        ValueRules.Add(node, source);
        ObjectRules.Add(node, source);
        ArrayRules.Add(node, source);
        LogicRules.Add(node, source);
        UnevaluatedRules.Add(node, source);
        return node;
    }

    public SchemaNode[] Reference(string reference, Place place)
    {
        SchemaNode[] slot = [SchemaNode.Anything];
        if (Uri.TryCreate(place.Base, reference, out var target)) _references.Enqueue((target, slot, place));
        else Problem(place, $"'{reference}' is no reference");
        return slot;
    }

    public DynamicTarget DynamicReference(string reference, Place place)
    {
        var name = reference.Contains('#', StringComparison.Ordinal) ? reference[(reference.IndexOf('#', StringComparison.Ordinal) + 1)..] : "";
        var resource = Uri.TryCreate(place.Base, reference, out var target) ? ResourceOf(target) : "";
        var dynamic = new DynamicTarget(Reference(reference, place), resource, name);
        _dynamicTargets.Add(dynamic);
        return dynamic;
    }

    public void Problem(Place place, string what, bool isMistake = true) => _problems.Add(new(place.Pointer, what, isMistake));

    private Place Name(JsonElement schema, Place place)
    {
        if (Text(schema, "$id") is { } id && Uri.TryCreate(place.Base, id, out var named))
        {
            place = place with { Base = new Uri(ResourceOf(named)) };
            _resources.TryAdd(place.Base.AbsoluteUri, place.Pointer);
        }
        if (Text(schema, "$anchor") is { } anchor) _anchors.TryAdd($"{place.Base.AbsoluteUri}#{anchor}", place.Pointer);
        if (Text(schema, "$dynamicAnchor") is { } dynamic)
        {
            _anchors.TryAdd($"{place.Base.AbsoluteUri}#{dynamic}", place.Pointer);
            _dynamicAnchors.TryAdd((place.Base.AbsoluteUri, dynamic), place);
        }
        return place;
    }

    private void Resolve()
    {
        while (_references.TryDequeue(out var reference)) reference.Slot[0] = Resolve(reference.Target, reference.From);
    }

    private SchemaNode Resolve(Uri target, Place from)
    {
        var resource = ResourceOf(target);
        var fragment = Uri.UnescapeDataString(target.Fragment.TrimStart('#'));
        var pointer = fragment.Length == 0 || fragment[0] == '/'
            ? _resources.TryGetValue(resource, out var start) ? start + fragment : null
            : _anchors.GetValueOrDefault($"{resource}#{fragment}");
        if (pointer is not null && Find(pointer) is { } schema) return Parse(schema, new(pointer, new(resource), 0));
        Problem(from, $"'{target.OriginalString}' leads nowhere in this schema");
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

    private static string ResourceOf(Uri address) => address.GetLeftPart(UriPartial.Query);

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
