using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Flapjack.Runtime.Schemas;

/// <summary>One run of a check: where in the value it is, what it found, and how much it may still do.</summary>
internal sealed class SchemaCheck(SchemaNeeds needs)
{
    private const int MaxErrors = 10;
    private const int MaxDepth = 256;
    private readonly StringBuilder _path = new();
    private readonly List<string> _resources = [];
    private int _steps;
    private int _depth;
    private int _quiet;

    public List<SchemaError> Errors { get; } = [];

    /// <summary>The budget is used up; nothing the check says counts any more.</summary>
    public bool Exhausted { get; private set; }

    /// <summary>The parts of the value at hand that were looked at; null when no keyword asks.</summary>
    public SeenParts? Seen { get; set; } = needs.SeenParts ? new() : null;

    /// <summary>The documents a check came through, outermost first.</summary>
    public IReadOnlyList<string> Resources => _resources;

    public bool Enter(SchemaNode node)
    {
        if (!Spend() || ++_depth > MaxDepth)
        {
            Exhausted = true;
            return false;
        }
        if (needs.Resources) _resources.Add(node.Resource);
        return true;
    }

    public void Leave()
    {
        _depth--;
        if (needs.Resources) _resources.RemoveAt(_resources.Count - 1);
    }

    public bool Spend()
    {
        if (++_steps > JsonSchema.MaxSteps) Exhausted = true;
        return !Exhausted;
    }

    /// <summary>Notes a mistake at the present place. Always false, so that rules can return it.</summary>
    public bool Fail(string message)
    {
        if (_quiet == 0 && Errors.Count < MaxErrors) Errors.Add(new(_path.ToString(), message));
        return false;
    }

    /// <summary>Applies a subschema whose mistakes are no mistakes of the value.</summary>
    public bool Try(SchemaNode node, JsonElement value)
    {
        _quiet++;
        var accepted = node.Accepts(value, this);
        _quiet--;
        return accepted;
    }

    /// <summary>Applies a subschema to a property.</summary>
    public bool At(string property, SchemaNode node, JsonElement value)
    {
        var length = _path.Length;
        _path.Append('/').Append(property.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
        var accepted = Inside(node, value);
        _path.Length = length;
        return accepted;
    }

    /// <summary>Applies a subschema to an item.</summary>
    public bool At(int index, SchemaNode node, JsonElement value)
    {
        var length = _path.Length;
        _path.Append('/').Append(CultureInfo.InvariantCulture, $"{index}");
        var accepted = Inside(node, value);
        _path.Length = length;
        return accepted;
    }

    /// <summary>Applies a subschema to an item whose mistakes are no mistakes of the value.</summary>
    public bool TryInside(SchemaNode node, JsonElement value)
    {
        _quiet++;
        var accepted = Inside(node, value);
        _quiet--;
        return accepted;
    }

    // Another value has parts of its own.
    private bool Inside(SchemaNode node, JsonElement value)
    {
        var around = Seen;
        Seen = around is null ? null : new();
        var accepted = node.Accepts(value, this);
        Seen = around;
        return accepted;
    }
}

/// <summary>What a schema needs to be known during its checks. Most need none of it and do not pay for it.</summary>
/// <param name="SeenParts">It has an <c>unevaluated…</c> keyword.</param>
/// <param name="Resources">It has a dynamic reference.</param>
internal readonly record struct SchemaNeeds(bool SeenParts, bool Resources);
