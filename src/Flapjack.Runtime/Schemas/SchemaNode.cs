using System.Text.Json;

namespace Flapjack.Runtime.Schemas;

/// <summary>Checks one keyword: true when the value meets it.</summary>
internal delegate bool SchemaRule(JsonElement value, SchemaCheck check);

/// <summary>One parsed subschema: all its rules have to hold.</summary>
/// <param name="resource">The base address of the schema document it stands in; dynamic references ask which ones a check came through.</param>
internal sealed class SchemaNode(string resource)
{
    /// <summary>Where an unusable subschema points: it accepts everything.</summary>
    public static readonly SchemaNode Anything = new("");

    public string Resource { get; } = resource;

    public List<SchemaRule> Rules { get; } = [];

    public bool Accepts(JsonElement value, SchemaCheck check)
    {
        if (!check.Enter(this)) return false;
        var seenBefore = check.Seen;
        check.Seen = seenBefore is null ? null : new();
        var accepted = true;
        foreach (var rule in Rules)
        {
            // All rules, not just the first that fails: a model corrects faster when it reads every mistake.
            accepted &= rule(value, check);
            if (check.Exhausted) break;
        }
        // What a subschema looked at counts for those around it when it accepted the value.
        if (accepted) seenBefore?.Add(check.Seen!, check);
        check.Seen = seenBefore;
        check.Leave();
        return accepted && !check.Exhausted;
    }
}
