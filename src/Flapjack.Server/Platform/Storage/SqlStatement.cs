namespace Flapjack.Server.Platform.Storage;

/// <summary>A value for a statement. It keeps its type when it is null, because PostgreSQL has to know it.</summary>
internal readonly struct SqlValue
{
    private SqlValue(object? value, SqlType type)
    {
        Value = value;
        Type = type;
    }

    public object? Value { get; }

    public SqlType Type { get; }

    public static implicit operator SqlValue(string? value) => new(value, SqlType.Text);
    public static implicit operator SqlValue(Guid value) => new(value, SqlType.Id);
    public static implicit operator SqlValue(Guid? value) => new(value, SqlType.Id);
    public static implicit operator SqlValue(int value) => new(value, SqlType.Integer);
    public static implicit operator SqlValue(int? value) => new(value, SqlType.Integer);
    public static implicit operator SqlValue(long value) => new(value, SqlType.Long);
    public static implicit operator SqlValue(long? value) => new(value, SqlType.Long);
    public static implicit operator SqlValue(bool value) => new(value, SqlType.Flag);
    public static implicit operator SqlValue(double value) => new(value, SqlType.Number);
    public static implicit operator SqlValue(double? value) => new(value, SqlType.Number);
    public static implicit operator SqlValue(DateTime value) => new(value, SqlType.Time);
    public static implicit operator SqlValue(DateTime? value) => new(value, SqlType.Time);
    public static implicit operator SqlValue(byte[]? value) => new(value, SqlType.Bytes);
}

internal enum SqlType { Text, Id, Integer, Long, Flag, Number, Time, Bytes }

/// <summary>One statement with positional parameters <c>$1</c>, <c>$2</c> …, in SQL that both databases understand.</summary>
internal readonly record struct SqlStatement(string Text, SqlValue[] Values)
{
    /// <summary>True when the statement returns one row with one whole number, such as <c>RETURNING seq</c>.</summary>
    public bool Returns { get; init; }

    /// <summary>True for the first statement of a unit when it is a <c>SELECT</c> that must find a row, and keep it as it is until the unit is committed; when it finds none, nothing of the unit happens.</summary>
    public bool Guards { get; init; }

    /// <summary>True when the statement may touch many rows: its unit then shares no transaction with others that wait.</summary>
    public bool Heavy { get; init; }
}

/// <summary>What a unit of statements did.</summary>
/// <param name="Affected">Rows changed by each statement, in order.</param>
/// <param name="Returned">The number returned by the statement marked <see cref="SqlStatement.Returns"/>; null when it returned no row.</param>
/// <param name="Refused">The unit's guard found no row: nothing was written.</param>
internal readonly record struct WriteResult(int[] Affected, long? Returned, bool Refused = false);

/// <summary>Writes small units of statements, each atomic and durable when the task completes. The hot path of turns uses it; everything else goes through <see cref="FlapjackDb"/>.</summary>
/// <remarks>Units have no order among themselves: await one before sending another that must come after it.</remarks>
internal interface IWriter
{
    Task<WriteResult> WriteAsync(SqlStatement[] unit, CancellationToken cancellationToken = default);
}
