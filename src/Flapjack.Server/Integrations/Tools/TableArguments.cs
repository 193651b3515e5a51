using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Integrations.Postgres;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Integrations.Tools;

/// <summary>Reads the arguments of a call into a request. Names become columns of the cached schema here or the call fails; values stay text that is bound.</summary>
internal sealed class TableArguments(DatabaseTable table, AIFunctionArguments arguments)
{
    private const int LongestValue = 10_000;

    public RowRequest ReadRows()
    {
        var columns = Items("columns").Select((name, i) => Column(name, $"columns[{i}]")).Distinct().ToList();
        var orders = Items("order_by");
        if (orders.Count > TableSchemas.MaxOrders) throw Fault("order_by", $"has more than {TableSchemas.MaxOrders} entries");
        var order = orders.Select((item, i) => new RowOrder(
            Column(Field(item, "column"), $"order_by[{i}].column"), Field(item, "direction") is { ValueKind: JsonValueKind.String } direction && direction.ValueEquals("desc"))).ToList();
        return new(columns.Count > 0 ? columns : table.Columns, ReadFilters(), order, Number("limit", TableSchemas.StandardRows, 1, TableSchemas.MaxRows), Number("offset", 0, 0, int.MaxValue));
    }

    public IReadOnlyList<RowFilter> ReadFilters()
    {
        var filters = Items("filters");
        if (filters.Count > TableSchemas.MaxFilters) throw Fault("filters", $"has more than {TableSchemas.MaxFilters} entries");
        return [.. filters.Select((filter, i) => Filter(filter, $"filters[{i}]"))];
    }

    private RowFilter Filter(JsonElement filter, string path)
    {
        var column = Column(Field(filter, "column"), $"{path}.column");
        var op = Field(filter, "op") is { ValueKind: JsonValueKind.String } word ? word.GetString()! : "";
        if (!TableSchemas.Operators.Contains(op)) throw Fault($"{path}.op", "is not known");
        if (op is "is_null" or "not_null") return new(column, op, []);
        if (Field(filter, "value") is not { } value) throw Fault($"{path}.value", "is required");
        if (op != "in") return new(column, op, [Value(column, value, $"{path}.value")]);
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() is 0 or > TableSchemas.MaxValues) throw Fault($"{path}.value", $"must be a list of 1 to {TableSchemas.MaxValues} values");
        return new(column, op, [.. value.EnumerateArray().Select((item, i) => Value(column, item, $"{path}.value[{i}]"))]);
    }

    private static string Value(DatabaseColumn column, JsonElement value, string path)
    {
        var text = value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            // A model's 5.0 for a column of whole numbers is five.
            JsonValueKind.Number => value.TryGetDecimal(out var number) && decimal.IsInteger(number) ? number.ToString("0", System.Globalization.CultureInfo.InvariantCulture) : value.GetRawText(),
            JsonValueKind.Null => throw Fault(path, "must not be null: use is_null or not_null"),
            _ when column.Form == ColumnForm.Json => value.GetRawText(),
            _ => throw Fault(path, "must be a text, a number, true or false"),
        };
        if (text.Length > LongestValue) throw Fault(path, $"has more than {LongestValue} characters");
        return text.Contains('\0', StringComparison.Ordinal) ? throw Fault(path, "must not contain the character U+0000") : text;
    }

    private DatabaseColumn Column(JsonElement? name, string path)
    {
        if (name is { ValueKind: JsonValueKind.String } text)
        {
            foreach (var column in table.Columns) if (text.ValueEquals(column.Name)) return column;
        }
        throw Fault(path, "is not a column of the table");
    }

    private List<JsonElement> Items(string name) =>
        arguments.TryGetValue(name, out var value) && value is JsonElement { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray()] : [];

    private int Number(string name, int standard, int min, int max) =>
        arguments.TryGetValue(name, out var value) && value is JsonElement { ValueKind: JsonValueKind.Number } number
            ? number.TryGetDecimal(out var exact) && exact >= min && exact <= max && decimal.IsInteger(exact) ? (int)exact : throw Fault(name, $"must be a whole number from {min} to {max}")
            : standard;

    private static JsonElement? Field(JsonElement item, string name) => item.ValueKind == JsonValueKind.Object && item.TryGetProperty(name, out var value) ? value : null;

    private static ToolException Fault(string path, string reason) => new(ToolErrors.InvalidArguments, $"{path}: {reason}");
}
