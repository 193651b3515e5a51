using System.Collections.Frozen;
using System.Text.Json;

namespace Flapjack.Runtime.Schemas;

/// <summary><c>type</c>, <c>enum</c>, <c>const</c>, and the keywords of numbers and strings.</summary>
internal static class ValueRules
{
    private const int MaxShown = 200;
    private static readonly FrozenSet<string> TypeNames = FrozenSet.Create(StringComparer.Ordinal, "object", "array", "string", "boolean", "null", "number", "integer");

    public static void Add(SchemaNode node, SchemaSource source)
    {
        AddType(node, source);
        AddEnum(node, source);
        AddNumber(node, source);
        AddString(node, source);
    }

    private static void AddType(SchemaNode node, SchemaSource source)
    {
        if (source.Any("type") is not { } type) return;
        var names = type.ValueKind == JsonValueKind.String ? [type.GetString()!] : source.Names("type");
        if (names is null) return;
        foreach (var name in names)
        {
            if (!TypeNames.Contains(name)) source.Problem("type", $"'{name}' is no type");
        }
        var message = $"must be {string.Join(" or ", names)}";
        node.Rules.Add((value, check) =>
        {
            foreach (var name in names)
            {
                if (IsOf(value, name)) return true;
            }
            return check.Fail(message);
        });
    }

    private static bool IsOf(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && SchemaNumber.IsInteger(value),
        _ => true,
    };

    private static void AddEnum(SchemaNode node, SchemaSource source)
    {
        if (source.Array("enum") is { } allowed)
        {
            var message = $"must be one of {Shown(allowed)}";
            node.Rules.Add((value, check) =>
            {
                foreach (var option in allowed.EnumerateArray())
                {
                    if (!check.Spend()) return false;
                    if (JsonElement.DeepEquals(option, value)) return true;
                }
                return check.Fail(message);
            });
        }
        if (source.Any("const") is { } only)
        {
            var message = $"must be {Shown(only)}";
            node.Rules.Add((value, check) => JsonElement.DeepEquals(only, value) || check.Fail(message));
        }
    }

    private static void AddNumber(SchemaNode node, SchemaSource source)
    {
        AddBound(node, source, "minimum", "must be at least", static order => order >= 0);
        AddBound(node, source, "maximum", "must be at most", static order => order <= 0);
        AddBound(node, source, "exclusiveMinimum", "must be greater than", static order => order > 0);
        AddBound(node, source, "exclusiveMaximum", "must be less than", static order => order < 0);
        if (source.Number("multipleOf") is { } factor && factor.GetDouble() > 0)
        {
            node.Rules.Add((value, check) => value.ValueKind != JsonValueKind.Number || SchemaNumber.IsMultiple(value, factor)
                || check.Fail($"must be a multiple of {factor.GetRawText()}"));
        }
    }

    private static void AddBound(SchemaNode node, SchemaSource source, string keyword, string words, Func<int, bool> holds)
    {
        if (source.Number(keyword) is not { } bound) return;
        node.Rules.Add((value, check) => value.ValueKind != JsonValueKind.Number || holds(SchemaNumber.Compare(value, bound))
            || check.Fail($"{words} {bound.GetRawText()}"));
    }

    private static void AddString(SchemaNode node, SchemaSource source)
    {
        if (source.Count("minLength") is { } min)
        {
            node.Rules.Add((value, check) => value.ValueKind != JsonValueKind.String || Length(value) >= min || check.Fail($"must have at least {min} characters"));
        }
        if (source.Count("maxLength") is { } max)
        {
            node.Rules.Add((value, check) => value.ValueKind != JsonValueKind.String || Length(value) <= max || check.Fail($"must have at most {max} characters"));
        }
        if (source.Text("pattern") is { } pattern && source.Pattern(pattern) is { } regex)
        {
            node.Rules.Add((value, check) => value.ValueKind != JsonValueKind.String || regex.IsMatch(value.GetString()!) || check.Fail($"must match {pattern}"));
        }
    }

    private static int Length(JsonElement value)
    {
        var count = 0;
        foreach (var _ in value.GetString()!.EnumerateRunes()) count++;
        return count;
    }

    private static string Shown(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= MaxShown ? text : $"{text[..MaxShown]}…";
    }
}
