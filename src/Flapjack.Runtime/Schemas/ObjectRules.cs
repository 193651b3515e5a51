using System.Text.Json;
using System.Text.RegularExpressions;

namespace Flapjack.Runtime.Schemas;

/// <summary>The keywords of objects.</summary>
internal static class ObjectRules
{
    public static void Add(SchemaNode node, SchemaSource source)
    {
        AddRequired(node, source);
        AddProperties(node, source);
        AddNames(node, source);
        AddDependencies(node, source);
        AddSize(node, source);
    }

    private static void AddRequired(SchemaNode node, SchemaSource source)
    {
        if (source.Names("required") is { } names) AddForObjects(node, (value, check) => HasAll(value, names, check));
    }

    private static bool HasAll(JsonElement value, List<string> names, SchemaCheck check)
    {
        var complete = true;
        foreach (var name in names)
        {
            if (!check.Spend()) return false;
            if (!value.TryGetProperty(name, out _)) complete = check.Fail($"'{name}' is missing");
        }
        return complete;
    }

    private static void AddProperties(SchemaNode node, SchemaSource source)
    {
        var named = source.Map("properties");
        var matched = Patterns(source);
        var rest = source.Schema("additionalProperties");
        if (named is null && matched.Count == 0 && rest is null) return;
        AddForObjects(node, (value, check) =>
        {
            var accepted = true;
            foreach (var property in value.EnumerateObject())
            {
                if (!check.Spend()) return false;
                var known = false;
                if (named is not null && named.TryGetValue(property.Name, out var own))
                {
                    known = true;
                    accepted &= check.At(property.Name, own, property.Value);
                }
                foreach (var (pattern, subschema) in matched)
                {
                    if (pattern?.IsMatch(property.Name) == false) continue;
                    known = true;
                    // A pattern that cannot be checked may match: neither its schema nor the rest's is applied.
                    if (pattern is not null) accepted &= check.At(property.Name, subschema, property.Value);
                }
                if (!known && rest is not null) accepted &= check.At(property.Name, rest, property.Value);
                if (known || rest is not null) check.Seen?.Add(property.Name);
            }
            return accepted;
        });
    }

    private static List<(Regex? Pattern, SchemaNode Schema)> Patterns(SchemaSource source)
    {
        var patterns = new List<(Regex?, SchemaNode)>();
        foreach (var (pattern, schema) in source.Map("patternProperties") ?? []) patterns.Add((source.Pattern(pattern), schema));
        return patterns;
    }

    private static void AddNames(SchemaNode node, SchemaSource source)
    {
        if (source.Schema("propertyNames") is not { } names) return;
        AddForObjects(node, (value, check) =>
        {
            var accepted = true;
            foreach (var property in value.EnumerateObject()) accepted &= check.At(property.Name, names, JsonText.String(property.Name));
            return accepted;
        });
    }

    private static void AddDependencies(SchemaNode node, SchemaSource source)
    {
        foreach (var (name, needed) in source.NameLists("dependentRequired") ?? [])
        {
            AddForObjects(node, (value, check) => !value.TryGetProperty(name, out _) || HasAll(value, needed, check));
        }
        foreach (var (name, schema) in source.Map("dependentSchemas") ?? [])
        {
            AddForObjects(node, (value, check) => !value.TryGetProperty(name, out _) || schema.Accepts(value, check));
        }
    }

    private static void AddSize(SchemaNode node, SchemaSource source)
    {
        if (source.Count("minProperties") is { } min)
        {
            AddForObjects(node, (value, check) => value.GetPropertyCount() >= min || check.Fail($"must have at least {min} properties"));
        }
        if (source.Count("maxProperties") is { } max)
        {
            AddForObjects(node, (value, check) => value.GetPropertyCount() <= max || check.Fail($"must have at most {max} properties"));
        }
    }

    private static void AddForObjects(SchemaNode node, SchemaRule rule) =>
        node.Rules.Add((value, check) => value.ValueKind != JsonValueKind.Object || rule(value, check));
}
