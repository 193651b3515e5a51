using System.Text.Json;

namespace Flapjack.Runtime.Schemas;

/// <summary>The keywords that put schemas together.</summary>
internal static class LogicRules
{
    public static void Add(SchemaNode node, SchemaSource source)
    {
        foreach (var part in source.Schemas("allOf") ?? []) node.Rules.Add(part.Accepts);
        if (source.Schemas("anyOf") is { } any) node.Rules.Add((value, check) => CountOf(any, value, check, enough: 1) > 0 || check.Fail("matches none of the allowed forms"));
        if (source.Schemas("oneOf") is { } one) node.Rules.Add((value, check) => IsOne(CountOf(one, value, check, enough: 2), check));
        if (source.Schema("not") is { } not) node.Rules.Add((value, check) => !check.TryInside(not, value) || check.Fail("has a form that is not allowed"));
        AddCondition(node, source);
    }

    private static void AddCondition(SchemaNode node, SchemaSource source)
    {
        var condition = source.Schema("if");
        // Read in any case: references may lead into them.
        var then = source.Schema("then");
        var otherwise = source.Schema("else");
        if (condition is null) return;
        node.Rules.Add((value, check) => (check.Try(condition, value) ? then : otherwise)?.Accepts(value, check) ?? true);
    }

    private static bool IsOne(int count, SchemaCheck check) => count switch
    {
        0 => check.Fail("matches none of the allowed forms"),
        1 => true,
        _ => check.Fail("matches more than one of the allowed forms"),
    };

    private static int CountOf(SchemaNode[] forms, JsonElement value, SchemaCheck check, int enough)
    {
        var count = 0;
        foreach (var form in forms)
        {
            // Every form that accepts the value has looked at parts of it, so none may be left out when that matters.
            if (check.Try(form, value) && ++count >= enough && check.Seen is null) break;
        }
        return count;
    }
}
