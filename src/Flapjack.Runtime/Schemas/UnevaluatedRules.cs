using System.Text.Json;

namespace Flapjack.Runtime.Schemas;

/// <summary><c>unevaluatedProperties</c> and <c>unevaluatedItems</c>: what no other keyword looked at. They come after all others.</summary>
internal static class UnevaluatedRules
{
    public static void Add(SchemaNode node, SchemaSource source)
    {
        if (source.Schema("unevaluatedProperties") is { } properties)
        {
            source.NeedsSeenParts();
            node.Rules.Add((value, check) => value.ValueKind != JsonValueKind.Object || AcceptsProperties(value, properties, check));
        }
        if (source.Schema("unevaluatedItems") is { } items)
        {
            source.NeedsSeenParts();
            node.Rules.Add((value, check) => value.ValueKind != JsonValueKind.Array || AcceptsItems(value, items, check));
        }
    }

    private static bool AcceptsProperties(JsonElement value, SchemaNode rest, SchemaCheck check)
    {
        var accepted = true;
        foreach (var property in value.EnumerateObject())
        {
            if (!check.Spend()) return false;
            if (check.Seen!.Has(property.Name)) continue;
            accepted &= check.At(property.Name, rest, property.Value);
            check.Seen.Add(property.Name);
        }
        return accepted;
    }

    private static bool AcceptsItems(JsonElement value, SchemaNode rest, SchemaCheck check)
    {
        var accepted = true;
        var index = -1;
        foreach (var item in value.EnumerateArray())
        {
            if (!check.Spend()) return false;
            if (check.Seen!.Has(++index)) continue;
            accepted &= check.At(index, rest, item);
            check.Seen.Add(index);
        }
        return accepted;
    }
}
