using Npgsql;

namespace Flapjack.Server.Integrations.Postgres;

/// <summary>Looks at a database: which tables, views and columns its role may read, and what else the role could do.</summary>
internal sealed class DatabaseInspection(DatabasePools pools, DatabaseLimits limits)
{
    private const int LongestComment = 500, LongestName = 63;

    /// <summary>What is there. Throws what <see cref="DatabaseFault"/> knows.</summary>
    public async Task<InspectedDatabase> RunAsync(Guid integrationId, DatabaseAddress address, IReadOnlyList<string> schemas, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ending.CancelAfter(limits.Total);
        return await InspectAsync(integrationId, address, schemas, ending.Token).WaitAsync(limits.Total + TimeSpan.FromSeconds(1), cancellationToken);
    }

    private async Task<InspectedDatabase> InspectAsync(Guid integrationId, DatabaseAddress address, IReadOnlyList<string> schemas, CancellationToken cancellationToken)
    {
        await using var connection = await pools.OpenAsync(integrationId, address, cancellationToken);
        var role = (await ReadAsync(connection, InspectionSql.Role, 1, cancellationToken)).Single();
        var isSuperuser = role[1] == "true";
        var rows = await ReadAsync(connection, InspectionSql.Columns(schemas), DatabaseLimits.Columns, cancellationToken);
        var tables = new List<DatabaseTable>();
        var (owns, writes) = (false, false);
        foreach (var group in rows.GroupBy(row => (Schema: row[0], Table: row[1])).Take(DatabaseLimits.Tables))
        {
            // Names that no honest server could have.
            if (!IsName(group.Key.Schema) || !IsName(group.Key.Table)) continue;
            var first = group.First();
            owns |= first[3] == "true";
            writes |= first[4] == "true";
            var columns = group.Where(row => IsName(row[5])).Select(row => new DatabaseColumn(row[5]!, Cut(row[6]) ?? "", row[8] != "true", row[9] == "true", Cut(row[10]), ColumnForm.Of(row[7] ?? ""))).ToList();
            if (columns.Count > 0) tables.Add(new(group.Key.Schema!, group.Key.Table!, Cut(first[2]), columns));
        }
        var rank = schemas.Select((schema, i) => (schema, i)).ToDictionary(s => s.schema, s => s.i, StringComparer.Ordinal);
        tables = [.. tables.Where(t => rank.ContainsKey(t.Schema)).OrderBy(t => rank[t.Schema]).ThenBy(t => t.Table, StringComparer.Ordinal)];
        string?[] warnings = [isSuperuser ? "superuser" : null, owns ? "owner" : null, writes ? "can_write" : null];
        return new(Cut(role[0]) ?? "", tables, [.. warnings.OfType<string>()]);
    }

    private async Task<List<string?[]>> ReadAsync(NpgsqlConnection connection, Statement query, int most, CancellationToken cancellationToken)
    {
        await using var batch = ReadOnlyBatch.Create(connection, query, limits.Statement);
        await using var reader = await batch.ExecuteReaderAsync(System.Data.CommandBehavior.SequentialAccess, cancellationToken);
        var rows = new List<string?[]>();
        var cell = new CellText(1_000);
        var (last, characters) = (Array.Empty<string?>(), 0);
        while (rows.Count < most && await reader.ReadAsync(cancellationToken))
        {
            var row = new string?[reader.FieldCount];
            for (var i = 0; i < row.Length; i++)
            {
                var text = await cell.ReadAsync(reader, i, cancellationToken);
                // What a column shares with the one before, its table and that one's comment for example, is held once.
                row[i] = i < last.Length && text == last[i] ? last[i] : text;
                if (!ReferenceEquals(row[i], text) || text is null) continue;
                if ((characters += text.Length) > limits.SchemaCharacters) throw new SchemaTooLargeException();
            }
            rows.Add(last = row);
        }
        return rows;
    }

    private static bool IsName(string? name) => name is { Length: > 0 } && System.Text.Encoding.UTF8.GetByteCount(name) <= LongestName && !name.Contains('\0', StringComparison.Ordinal);

    private static string? Cut(string? text) => text is null || text.Length <= LongestComment ? text : text[..LongestComment];
}

/// <summary>What an inspection found.</summary>
internal sealed record InspectedDatabase(string ServerVersion, IReadOnlyList<DatabaseTable> Tables, IReadOnlyList<string> Warnings);

/// <summary>A database describes itself at such length that it is not listened to.</summary>
internal sealed class SchemaTooLargeException : Exception;
