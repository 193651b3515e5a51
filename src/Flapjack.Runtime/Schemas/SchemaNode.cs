using System.Text.Json;

namespace Flapjack.Runtime.Schemas;

/// <summary>Checks one keyword: true when the value meets it.</summary>
internal delegate bool SchemaRule(JsonElement value, SchemaCheck check);

/// <summary>One parsed subschema: all its rules have to hold.</summary>
internal sealed class SchemaNode
{
    /// <summary>Where an unusable subschema points: it accepts everything.</summary>
    public static readonly SchemaNode Anything = new();

    public List<SchemaRule> Rules { get; } = [];

    public bool Accepts(JsonElement value, SchemaCheck check)
    {
        if (!check.Enter()) return false;
        var accepted = true;
        foreach (var rule in Rules)
        {
            // All rules, not just the first that fails: a model corrects faster when it reads every mistake.
            accepted &= rule(value, check);
            if (check.Exhausted) break;
        }
        check.Leave();
        return accepted && !check.Exhausted;
    }
}
