using System.Text;
using NpgsqlTypes;

namespace Flapjack.Server.Integrations.Postgres;

/// <summary>Writes the two statements that tools run. Identifiers are those of the cached schema, quoted; everything a model says is a bound value or one of the words here.</summary>
internal sealed class TableStatement
{
    private readonly StringBuilder _sql = new();
    private readonly List<BoundValue> _values = [];

    /// <summary>Rows of a table, one more than asked for: that one tells whether there are more.</summary>
    public static Statement Rows(DatabaseTable table, RowRequest request)
    {
        var statement = new TableStatement();
        statement._sql.Append("SELECT ").AppendJoin(", ", request.Columns.Select(Shown));
        statement.From(table, request.Filters);
        var order = request.Order.Count > 0 ? request.Order : [.. table.Columns.Where(c => c.PrimaryKey).Select(c => new RowOrder(c, false))];
        if (order.Count > 0) statement._sql.Append(" ORDER BY ").AppendJoin(", ", order.Select(o => Quoted(o.Column.Name) + (o.Descending ? " DESC" : " ASC")));
        statement._sql.Append(" LIMIT ").Append(statement.Bind(BoundValue.Of(request.Limit + 1))).Append(" OFFSET ").Append(statement.Bind(BoundValue.Of(request.Offset)));
        return new(statement._sql.ToString(), statement._values);
    }

    /// <summary>How many rows.</summary>
    public static Statement Count(DatabaseTable table, IReadOnlyList<RowFilter> filters)
    {
        var statement = new TableStatement();
        statement._sql.Append("SELECT pg_catalog.count(*)::pg_catalog.text");
        statement.From(table, filters);
        // Text without any parameter is the one kind that the driver parses by itself.
        statement._sql.Append(" LIMIT ").Append(statement.Bind(BoundValue.Of(1)));
        return new(statement._sql.ToString(), statement._values);
    }

    private void From(DatabaseTable table, IReadOnlyList<RowFilter> filters)
    {
        _sql.Append(" FROM ").Append(Quoted(table.Schema)).Append('.').Append(Quoted(table.Table));
        for (var i = 0; i < filters.Count; i++)
        {
            _sql.Append(i == 0 ? " WHERE " : " AND ");
            Where(filters[i]);
        }
    }

    private void Where(RowFilter filter)
    {
        var column = Quoted(filter.Column.Name);
        _sql.Append(filter.Op switch
        {
            "eq" => $"{column} = {Bind(filter.Values[0])}",
            "neq" => $"{column} <> {Bind(filter.Values[0])}",
            "gt" => $"{column} > {Bind(filter.Values[0])}",
            "gte" => $"{column} >= {Bind(filter.Values[0])}",
            "lt" => $"{column} < {Bind(filter.Values[0])}",
            "lte" => $"{column} <= {Bind(filter.Values[0])}",
            "in" => $"{column} IN ({string.Join(", ", filter.Values.Select(Bind))})",
            "like" => $"{column}::pg_catalog.text LIKE {BindText(filter.Values[0])}",
            "ilike" => $"{column}::pg_catalog.text ILIKE {BindText(filter.Values[0])}",
            "is_null" => $"{column} IS NULL",
            "not_null" => $"{column} IS NOT NULL",
            _ => throw new ArgumentOutOfRangeException(nameof(filter)),
        });
    }

    private string Bind(BoundValue value) => Bind(value.Text, value.Type);

    private string Bind(string text) => Bind(text, NpgsqlDbType.Unknown);

    private string BindText(string text) => Bind(text, NpgsqlDbType.Text);

    private string Bind(string text, NpgsqlDbType type)
    {
        _values.Add(new(text, type));
        return $"${_values.Count}";
    }

    // Cells are cut where they are, so that they need not travel.
    private static string Shown(DatabaseColumn column)
    {
        var name = Quoted(column.Name);
        return column.Form switch
        {
            ColumnForm.Bytes => $"'<' || pg_catalog.octet_length({name})::pg_catalog.text || ' bytes>'",
            // ISO 8601, whatever the session's date style is.
            ColumnForm.Time => $"pg_catalog.to_json({name}) #>> '{{}}'",
            _ => $"pg_catalog.\"left\"({name}::pg_catalog.text, {DatabaseLimits.CellCharacters + 1})",
        };
    }

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}

/// <summary>Which rows a tool call asks for. Columns are objects of the cached schema, never names.</summary>
internal sealed record RowRequest(IReadOnlyList<DatabaseColumn> Columns, IReadOnlyList<RowFilter> Filters, IReadOnlyList<RowOrder> Order, int Limit, int Offset);

/// <summary>A condition.</summary>
/// <param name="Column">Of the cached schema.</param>
/// <param name="Op">One of the schema's words.</param>
/// <param name="Values">None, one, or for <c>in</c> several; bound.</param>
internal sealed record RowFilter(DatabaseColumn Column, string Op, IReadOnlyList<string> Values);

/// <summary>An order.</summary>
internal sealed record RowOrder(DatabaseColumn Column, bool Descending);
