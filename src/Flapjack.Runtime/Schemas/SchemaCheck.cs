using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Flapjack.Runtime.Schemas;

/// <summary>One run of a check: where in the value it is, what it found, and how much it may still do.</summary>
internal sealed class SchemaCheck
{
    private const int MaxErrors = 10;
    private const int MaxDepth = 256;
    private readonly StringBuilder _path = new();
    private int _steps;
    private int _depth;
    private int _quiet;

    public List<SchemaError> Errors { get; } = [];

    /// <summary>The budget is used up; nothing the check says counts any more.</summary>
    public bool Exhausted { get; private set; }

    public bool Enter()
    {
        if (Spend() && ++_depth <= MaxDepth) return true;
        Exhausted = true;
        return false;
    }

    public void Leave() => _depth--;

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

    public bool At(string property, SchemaNode node, JsonElement value)
    {
        var length = _path.Length;
        _path.Append('/').Append(property.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
        var accepted = node.Accepts(value, this);
        _path.Length = length;
        return accepted;
    }

    public bool At(int index, SchemaNode node, JsonElement value)
    {
        var length = _path.Length;
        _path.Append('/').Append(CultureInfo.InvariantCulture, $"{index}");
        var accepted = node.Accepts(value, this);
        _path.Length = length;
        return accepted;
    }
}
