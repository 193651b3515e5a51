using System.Data.Common;

namespace Flapjack.Server.Platform.Storage;

/// <summary>Reads one row by a prepared statement. The hot path of turns uses it, where a query costs as much as the rest of the request; everything else asks <see cref="FlapjackDb"/>.</summary>
/// <remarks>No query filter stands behind it: a statement names the organisation itself.</remarks>
internal interface IReader
{
    /// <summary>The first row, or null.</summary>
    ValueTask<T?> ReadAsync<T>(SqlStatement statement, SqlMap<T> map, CancellationToken cancellationToken) where T : class;

    /// <summary>Every row; the statement bounds their number.</summary>
    ValueTask<List<T>> ReadAllAsync<T>(SqlStatement statement, SqlMap<T> map, CancellationToken cancellationToken);
}

/// <summary>The columns of a row, taken in order.</summary>
internal ref struct SqlRow(DbDataReader reader)
{
    private int _column = -1;

    public string Text() => reader.GetString(++_column);

    public string? TextOrNull() => reader.IsDBNull(++_column) ? null : reader.GetString(_column);

    public Guid Id() => reader.GetGuid(++_column);

    public Guid? IdOrNull() => reader.IsDBNull(++_column) ? null : reader.GetGuid(_column);

    public int Integer() => reader.GetInt32(++_column);

    public int? IntegerOrNull() => reader.IsDBNull(++_column) ? null : reader.GetInt32(_column);

    public long Long() => reader.GetInt64(++_column);

    public double? NumberOrNull() => reader.IsDBNull(++_column) ? null : reader.GetDouble(_column);

    public bool Flag() => reader.GetBoolean(++_column);

    public byte[] Bytes() => reader.GetFieldValue<byte[]>(++_column);

    // SQLite forgets that times are UTC.
    public DateTime Time() => DateTime.SpecifyKind(reader.GetDateTime(++_column), DateTimeKind.Utc);

    public DateTime? TimeOrNull() => reader.IsDBNull(++_column) ? null : DateTime.SpecifyKind(reader.GetDateTime(_column), DateTimeKind.Utc);
}

/// <summary>Makes a value of a row.</summary>
internal delegate T SqlMap<out T>(SqlRow row);
