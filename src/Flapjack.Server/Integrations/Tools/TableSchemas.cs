using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flapjack.Server.Integrations.Tools;

/// <summary>What a model sees of a table's tools.</summary>
internal static class TableSchemas
{
    public const int MaxRows = 500, StandardRows = 50, MaxFilters = 20, MaxOrders = 5, MaxValues = 100;
    private const int LongestDescription = 2_000;

    public static readonly IReadOnlyList<string> Operators = ["eq", "neq", "gt", "gte", "lt", "lte", "in", "like", "ilike", "is_null", "not_null"];

    /// <summary>Parameters of <c>query_{table}</c>.</summary>
    public static JsonElement Query(DatabaseTable table)
    {
        var columns = Names(table);
        return Object(new JsonObject
        {
            ["columns"] = new JsonObject { ["type"] = "array", ["items"] = Words(columns) },
            ["filters"] = Filters(columns),
            ["order_by"] = new JsonObject
            {
                ["type"] = "array",
                ["items"] = Item(new JsonObject { ["column"] = Words(columns), ["direction"] = Words(["asc", "desc"]) }, "column"),
            },
            ["limit"] = new JsonObject { ["type"] = "integer", ["minimum"] = 1, ["maximum"] = MaxRows, ["default"] = StandardRows },
            ["offset"] = new JsonObject { ["type"] = "integer", ["minimum"] = 0, ["default"] = 0 },
        });
    }

    /// <summary>Parameters of <c>count_{table}</c>.</summary>
    public static JsonElement Count(DatabaseTable table) => Object(new JsonObject { ["filters"] = Filters(Names(table)) });

    /// <summary>What stands in the table, with the comments of its owner.</summary>
    public static string Describe(string verb, string database, DatabaseTable table)
    {
        var text = $"{verb} of {table.Schema}.{table.Table} in the database {database}. All filters have to hold; values of like and ilike take % and _.";
        if (table.Comment is { } comment) text += $" {Line(comment)}";
        text += " Columns: " + string.Join("; ", table.Columns.Select(Describe)) + ".";
        return text.Length <= LongestDescription ? text : text[..(LongestDescription - 1)] + "…";
    }

    private static string Describe(DatabaseColumn column) =>
        $"{column.Name} {column.Type}{(column.PrimaryKey ? " primary key" : "")}{(column.Comment is { } comment ? $" ({Line(comment)})" : "")}";

    private static string Line(string text) => (text.Length > 200 ? text[..200] : text).ReplaceLineEndings(" ");

    private static string[] Names(DatabaseTable table) => [.. table.Columns.Select(c => c.Name)];

    private static JsonObject Filters(IReadOnlyList<string> columns) => new()
    {
        ["type"] = "array",
        ["items"] = Item(new JsonObject { ["column"] = Words(columns), ["op"] = Words(Operators), ["value"] = new JsonObject() }, "column", "op"),
    };

    private static JsonObject Words(IReadOnlyList<string> words) => new() { ["type"] = "string", ["enum"] = new JsonArray([.. words.Select(word => (JsonNode)word)]) };

    private static JsonObject Item(JsonObject properties, params string[] required) => new()
    {
        ["type"] = "object",
        ["additionalProperties"] = false,
        ["required"] = new JsonArray([.. required.Select(name => (JsonNode)name)]),
        ["properties"] = properties,
    };

    private static JsonElement Object(JsonObject properties) =>
        JsonSerializer.SerializeToElement(new JsonObject { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = properties });
}
