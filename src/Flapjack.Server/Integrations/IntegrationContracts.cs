using System.Text.Json;
using System.Text.Json.Serialization;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Integrations;

/// <summary>A database to create or the fields to change.</summary>
public sealed record IntegrationRequest
{
    /// <summary>1 to 200 characters; required when it is created.</summary>
    public Optional<string> Name { get; init; }
    /// <summary><c>postgres</c> or <c>supabase</c>; required when it is created, ignored afterwards.</summary>
    public Optional<string> Kind { get; init; }
    /// <summary><c>postgresql://user:password@host:5432/database</c>, with <c>?sslmode=</c> if needed. Required when it is created; never returned.</summary>
    public Optional<string> ConnectionString { get; init; }
    /// <summary>1 to 20 schemas, default <c>["public"]</c>. Tables of the first are called by their bare names.</summary>
    public Optional<List<string?>> Schemas { get; init; }
    /// <summary>The organisation to create it in; default the caller's.</summary>
    public Optional<string> OrgId { get; init; }
}

/// <summary>A database that agents may read.</summary>
public sealed record IntegrationResponse
{
    /// <summary>Id.</summary>
    public required Guid Id { get; init; }
    /// <summary>The organisation.</summary>
    public required Guid OrgId { get; init; }
    /// <summary>Name for people.</summary>
    public required string Name { get; init; }
    /// <summary><c>postgres</c> or <c>supabase</c>.</summary>
    public required string Kind { get; init; }
    /// <summary><c>active</c>, or <c>error</c> when the last introspection failed.</summary>
    public required string Status { get; init; }
    /// <summary>Of the connection string.</summary>
    public required string Host { get; init; }
    /// <summary>Of the connection string.</summary>
    public required string Database { get; init; }
    /// <summary>Whose tables are read.</summary>
    public required IReadOnlyList<string> Schemas { get; init; }
    /// <summary>Tables and views in the cached schema.</summary>
    public required int TableCount { get; init; }
    /// <summary>Why the last introspection failed; null when it went well.</summary>
    public required string? LastError { get; init; }
    /// <summary>What the role could do besides reading: <c>superuser</c>, <c>owner</c>, <c>can_write</c>. The server never uses it.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }
    /// <summary>Time of the last successful introspection, UTC; null when there was none.</summary>
    public required DateTime? IntrospectedAt { get; init; }
    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }
    /// <summary>UTC.</summary>
    public required DateTime UpdatedAt { get; init; }
    /// <summary>The cached schema; absent in lists.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<TableResponse>? Schema { get; init; }

    internal static IntegrationResponse From(Integration row) => new()
    {
        Id = row.Id,
        OrgId = row.OrgId,
        Name = row.Name,
        Kind = row.Kind,
        Status = row.Status,
        Host = row.Host,
        Database = row.Database,
        Schemas = JsonSerializer.Deserialize<List<string>>(row.Schemas)!,
        TableCount = row.TableCount,
        LastError = row.LastError,
        Warnings = JsonSerializer.Deserialize<List<string>>(row.Warnings)!,
        IntrospectedAt = row.IntrospectedAt,
        CreatedAt = row.CreatedAt,
        UpdatedAt = row.UpdatedAt,
    };

    internal static IntegrationResponse WithSchema(Integration row) => From(row) with { Schema = [.. DatabaseTable.Read(row.Tables).Select(TableResponse.From)] };
}

/// <summary>A table or view.</summary>
public sealed record TableResponse
{
    /// <summary>Its schema.</summary>
    public required string Schema { get; init; }
    /// <summary>Its name.</summary>
    public required string Table { get; init; }
    /// <summary>Comment in the database; null without one.</summary>
    public required string? Comment { get; init; }
    /// <summary>Columns that the role may read, in the table's order.</summary>
    public required IReadOnlyList<ColumnResponse> Columns { get; init; }

    internal static TableResponse From(DatabaseTable table) => new() { Schema = table.Schema, Table = table.Table, Comment = table.Comment, Columns = [.. table.Columns.Select(ColumnResponse.From)] };
}

/// <summary>A column.</summary>
public sealed record ColumnResponse
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }
    /// <summary>Its type as the database spells it.</summary>
    public required string Type { get; init; }
    /// <summary>May hold null.</summary>
    public required bool Nullable { get; init; }
    /// <summary>Is part of the primary key.</summary>
    public required bool PrimaryKey { get; init; }
    /// <summary>Comment in the database; null without one.</summary>
    public required string? Comment { get; init; }

    internal static ColumnResponse From(DatabaseColumn column) => new() { Name = column.Name, Type = column.Type, Nullable = column.Nullable, PrimaryKey = column.PrimaryKey, Comment = column.Comment };
}

/// <summary>How a test of a connection went.</summary>
public sealed record IntegrationTestResponse
{
    /// <summary>Whether the database could be read.</summary>
    public required bool Ok { get; init; }
    /// <summary>Tables and views that the role may read.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Tables { get; init; }
    /// <summary>As the database says it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ServerVersion { get; init; }
    /// <summary><c>CONNECT_FAILED</c>, <c>AUTH_FAILED</c>, <c>TLS_FAILED</c>, <c>TIMEOUT</c> or <c>BLOCKED_ADDRESS</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }
    /// <summary>The reason in words.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Detail { get; init; }
}
