using Npgsql;

namespace Flapjack.Server.Integrations.Postgres;

/// <summary>Reads one cell at a time, never more of it than asked for: a server that sends gigabytes gets rid of them in small pieces.</summary>
internal sealed class CellText(int limit)
{
    private readonly char[] _buffer = new char[limit + 1];

    /// <summary>The text, one character longer than the limit at most; null for null.</summary>
    public async ValueTask<string?> ReadAsync(NpgsqlDataReader reader, int column, CancellationToken cancellationToken)
    {
        if (await reader.IsDBNullAsync(column, cancellationToken)) return null;
        using var text = await reader.GetTextReaderAsync(column, cancellationToken);
        var length = await text.ReadBlockAsync(_buffer, cancellationToken);
        return new string(_buffer, 0, length);
    }
}
