using System.Text.Json;

namespace Flapjack.Runtime.Schemas;

/// <summary>Arithmetic on JSON numbers: exact where a decimal holds them, else as doubles.</summary>
internal static class SchemaNumber
{
    public static bool IsInteger(JsonElement number)
    {
        if (number.TryGetInt64(out _)) return true;
        if (number.TryGetDecimal(out var exact)) return decimal.Truncate(exact) == exact;
        return number.TryGetDouble(out var wide) && double.IsFinite(wide) && Math.Truncate(wide) == wide;
    }

    public static int Compare(JsonElement a, JsonElement b) =>
        a.TryGetDecimal(out var exactA) && b.TryGetDecimal(out var exactB) ? exactA.CompareTo(exactB) : a.GetDouble().CompareTo(b.GetDouble());

    public static bool IsMultiple(JsonElement number, JsonElement factor)
    {
        if (number.TryGetDecimal(out var exact) && factor.TryGetDecimal(out var step) && step != 0)
        {
            return exact % step == 0;
        }
        var quotient = number.GetDouble() / factor.GetDouble();
        return double.IsFinite(quotient) && Math.Truncate(quotient) == quotient;
    }
}
