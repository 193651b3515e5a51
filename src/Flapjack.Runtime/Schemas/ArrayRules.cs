using System.Text.Json;

namespace Flapjack.Runtime.Schemas;

/// <summary>The keywords of arrays.</summary>
internal static class ArrayRules
{
    public static void Add(SchemaNode node, SchemaSource source)
    {
        AddItems(node, source);
        AddContains(node, source);
        if (source.Count("minItems") is { } min)
        {
            AddForArrays(node, (value, check) => value.GetArrayLength() >= min || check.Fail($"must have at least {min} items"));
        }
        if (source.Count("maxItems") is { } max)
        {
            AddForArrays(node, (value, check) => value.GetArrayLength() <= max || check.Fail($"must have at most {max} items"));
        }
        if (source.Flag("uniqueItems")) AddForArrays(node, (value, check) => AreUnique(value, check) || check.Fail("must not hold equal items"));
    }

    private static void AddItems(SchemaNode node, SchemaSource source)
    {
        // Older drafts wrote prefixItems as an array in items; many tools still do.
        var older = source.Any("items")?.ValueKind == JsonValueKind.Array;
        var prefix = source.Schemas(older ? "items" : "prefixItems") ?? [];
        var rest = older ? source.Schema("additionalItems") : source.Schema("items");
        if (prefix.Length == 0 && rest is null) return;
        AddForArrays(node, (value, check) =>
        {
            var accepted = true;
            var index = 0;
            foreach (var item in value.EnumerateArray())
            {
                var schema = index < prefix.Length ? prefix[index] : rest;
                if (schema is null || check.Exhausted) break;
                accepted &= check.At(index, schema, item);
                check.Seen?.Add(index);
                index++;
            }
            return accepted;
        });
    }

    private static void AddContains(SchemaNode node, SchemaSource source)
    {
        if (source.Schema("contains") is not { } schema) return;
        var min = source.Count("minContains") ?? 1;
        var max = source.Count("maxContains") ?? int.MaxValue;
        AddForArrays(node, (value, check) =>
        {
            var (count, index) = (0, 0);
            foreach (var item in value.EnumerateArray())
            {
                if (check.TryInside(schema, item))
                {
                    count++;
                    check.Seen?.Add(index);
                }
                if (check.Exhausted) return false;
                index++;
            }
            return (count >= min || check.Fail($"must contain at least {min} matching items")) && (count <= max || check.Fail($"must contain at most {max} matching items"));
        });
    }

    private static bool AreUnique(JsonElement array, SchemaCheck check)
    {
        var seen = new Dictionary<int, List<JsonElement>>();
        foreach (var item in array.EnumerateArray())
        {
            var hash = HashOf(item, check);
            if (!seen.TryGetValue(hash, out var alike)) seen[hash] = alike = [];
            foreach (var other in alike)
            {
                if (!check.Spend() || JsonElement.DeepEquals(item, other)) return false;
            }
            alike.Add(item);
        }
        return true;
    }

    // Equal values have equal hashes: numbers by value, objects whatever the order of their properties.
    private static int HashOf(JsonElement value, SchemaCheck check)
    {
        if (!check.Spend()) return 0;
        var hash = 0;
        switch (value.ValueKind)
        {
            case JsonValueKind.Number: return value.TryGetDouble(out var number) ? number.GetHashCode() : 1;
            case JsonValueKind.String: return value.GetString()!.GetHashCode(StringComparison.Ordinal);
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray()) hash = HashCode.Combine(hash, HashOf(item, check));
                return HashCode.Combine(2, hash);
            case JsonValueKind.Object:
                foreach (var property in value.EnumerateObject()) hash += HashCode.Combine(property.Name, HashOf(property.Value, check));
                return HashCode.Combine(3, hash);
            default: return (int)value.ValueKind;
        }
    }

    private static void AddForArrays(SchemaNode node, SchemaRule rule) =>
        node.Rules.Add((value, check) => value.ValueKind != JsonValueKind.Array || rule(value, check));
}
