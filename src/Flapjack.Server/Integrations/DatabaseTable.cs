using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Integrations;

/// <summary>A table or view as the last introspection saw it.</summary>
internal sealed record DatabaseTable(string Schema, string Table, string? Comment, IReadOnlyList<DatabaseColumn> Columns)
{
    public static IReadOnlyList<DatabaseTable> Read(string json) => JsonSerializer.Deserialize<List<DatabaseTable>>(json, WireJson.Responses)!;

    public static string Write(IReadOnlyList<DatabaseTable> tables) => JsonSerializer.Serialize(tables, WireJson.Responses);
}

/// <summary>A column that the role may read.</summary>
/// <param name="Name">As the database spells it.</param>
/// <param name="Type">As the database spells it, with length or precision.</param>
/// <param name="Nullable">May hold null.</param>
/// <param name="PrimaryKey">Is part of the primary key.</param>
/// <param name="Comment">Of the database's owner.</param>
/// <param name="Form">How its values travel, one of <see cref="ColumnForm"/>.</param>
internal sealed record DatabaseColumn(string Name, string Type, bool Nullable, bool PrimaryKey, string? Comment, string Form);

/// <summary>How values of a column are read and written as JSON. Everything travels as text; this says what the text is.</summary>
internal static class ColumnForm
{
    public const string Number = "number", Boolean = "boolean", Json = "json", Time = "time", Bytes = "bytes", Text = "text";

    /// <param name="type">The base type's name as <c>format_type</c> spells it without modifiers.</param>
    public static string Of(string type) => type switch
    {
        "smallint" or "integer" or "bigint" or "numeric" or "real" or "double precision" or "oid" => Number,
        "boolean" => Boolean,
        "json" or "jsonb" => Json,
        "timestamp without time zone" or "timestamp with time zone" or "date" or "time without time zone" or "time with time zone" => Time,
        "bytea" => Bytes,
        _ => Text,
    };
}
