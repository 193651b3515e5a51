using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Npgsql;

namespace Flapjack.Server.Integrations.Postgres;

/// <summary>Runs the statements of tools and writes their results as JSON.</summary>
internal sealed class TableQueries(DatabasePools pools, DatabaseLimits limits)
{
    private const int ShortCell = 200;
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary><c>{"rows":[…],"row_count":50,"has_more":true}</c>.</summary>
    public Task<JsonElement> RowsAsync(Guid integrationId, DatabaseAddress address, DatabaseTable table, RowRequest request, CancellationToken cancellationToken) =>
        LimitedAsync(async stop =>
        {
            await using var connection = await pools.OpenAsync(integrationId, address, stop);
            await using var batch = ReadOnlyBatch.Create(connection, TableStatement.Rows(table, request), limits.Statement);
            await using var reader = await batch.ExecuteReaderAsync(System.Data.CommandBehavior.SequentialAccess, stop);
            return await ReadRowsAsync(batch, reader, request, stop);
        }, cancellationToken);

    /// <summary><c>{"count":123}</c>.</summary>
    public Task<JsonElement> CountAsync(Guid integrationId, DatabaseAddress address, DatabaseTable table, IReadOnlyList<RowFilter> filters, CancellationToken cancellationToken) =>
        LimitedAsync(async stop =>
        {
            await using var connection = await pools.OpenAsync(integrationId, address, stop);
            await using var batch = ReadOnlyBatch.Create(connection, TableStatement.Count(table, filters), limits.Statement);
            await using var reader = await batch.ExecuteReaderAsync(System.Data.CommandBehavior.SequentialAccess, stop);
            var text = await reader.ReadAsync(stop) ? await new CellText(40).ReadAsync(reader, 0, stop) : null;
            return JsonSerializer.SerializeToElement(new Dictionary<string, long> { ["count"] = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0 });
        }, cancellationToken);

    // Waited for no longer than the limit even when the other side keeps the driver busy for ever; what is left behind holds one of the pool's few connections.
    private async Task<JsonElement> LimitedAsync(Func<CancellationToken, Task<JsonElement>> run, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ending.CancelAfter(limits.Total);
        try
        {
            return await run(ending.Token).WaitAsync(limits.Total + TimeSpan.FromSeconds(1), cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && DatabaseFault.Of(exception) is { } fault)
        {
            throw fault.ToToolException();
        }
    }

    private async Task<JsonElement> ReadRowsAsync(NpgsqlBatch batch, NpgsqlDataReader reader, RowRequest request, CancellationToken cancellationToken)
    {
        var cell = new CellText(DatabaseLimits.CellCharacters);
        var cells = new string?[request.Columns.Count];
        var (buffer, rows, bytes) = (new ArrayBufferWriter<byte>(), 0, 0);
        var isCut = false;
        await using var writer = new Utf8JsonWriter(buffer, Relaxed);
        writer.WriteStartObject();
        writer.WriteStartArray("rows");
        var more = false;
        while (await reader.ReadAsync(cancellationToken))
        {
            if (more = rows == request.Limit) break;
            for (var i = 0; i < cells.Length; i++) cells[i] = await cell.ReadAsync(reader, i, cancellationToken);
            var row = Row(request.Columns, cells, DatabaseLimits.CellCharacters);
            if (isCut = bytes + row.Length > limits.ResultBytes)
            {
                more = true;
                if (rows > 0) break;
                // One row too large for a result: what begins each cell is better than nothing.
                row = Row(request.Columns, cells, ShortCell);
            }
            writer.WriteRawValue(row.Span, skipInputValidation: true);
            (rows, bytes) = (rows + 1, bytes + row.Length);
            if (isCut) break;
        }
        // Otherwise the driver would read what is left.
        if (more && isCut) await Task.Run(batch.Cancel, cancellationToken);
        writer.WriteEndArray();
        writer.WriteNumber("row_count", rows);
        writer.WriteBoolean("has_more", more);
        if (isCut) writer.WriteString("note", string.Create(CultureInfo.InvariantCulture, $"The rows are too large for one result. Ask for fewer columns, or go on with offset {request.Offset + rows}."));
        writer.WriteEndObject();
        await writer.FlushAsync(cancellationToken);
        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }

    private static ReadOnlyMemory<byte> Row(IReadOnlyList<DatabaseColumn> columns, string?[] cells, int longest)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer, Relaxed);
        writer.WriteStartObject();
        for (var i = 0; i < cells.Length; i++)
        {
            writer.WritePropertyName(columns[i].Name);
            Write(writer, columns[i].Form, cells[i], longest);
        }
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter writer, string form, string? cell, int longest)
    {
        if (cell is null) writer.WriteNullValue();
        else if (cell.Length > longest) writer.WriteStringValue(Head(cell, longest) + "…");
        else if (form == ColumnForm.Boolean && cell is "true" or "false") writer.WriteBooleanValue(cell == "true");
        else if (form == ColumnForm.Number && IsNumber(cell) || form == ColumnForm.Json && IsJson(cell)) writer.WriteRawValue(cell);
        else writer.WriteStringValue(cell);
    }

    // NaN and Infinity are no JSON, and what a double cannot hold would come out as something else elsewhere.
    private static bool IsNumber(string text) => text.Length <= 28 && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _) && IsJson(text);

    private static bool IsJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string Head(string text, int length) => text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];
}
