using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Flapjack.Server.Tests;

/// <summary>One event of a stream, read strictly: one <c>event</c> line, one <c>data</c> line with a JSON object, LF line ends.</summary>
/// <param name="Id">The <c>id</c> line; null without one.</param>
/// <param name="Event">The <c>event</c> line.</param>
/// <param name="Data">The object of the <c>data</c> line.</param>
public sealed record ServerEvent(string? Id, string Event, JsonElement Data)
{
    /// <summary>The sequence number in the id; 0 without one.</summary>
    public long Sequence => Id is { } id ? long.Parse(id[(id.LastIndexOf(':') + 1)..], System.Globalization.CultureInfo.InvariantCulture) : 0;

    public static async IAsyncEnumerable<ServerEvent> ReadAsync(HttpResponseMessage response, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        response.Content.Headers.ContentType?.MediaType.ShouldBe("text/event-stream");
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        string? id = null, type = null, data = null;
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length == 0)
            {
                if (data is not null) yield return new(id, type ?? "message", JsonDocument.Parse(data).RootElement);
                (id, type, data) = (null, null, null);
            }
            else if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
            else if (line.StartsWith("event: ", StringComparison.Ordinal)) type = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal)) data = data is null ? line[6..] : throw new InvalidDataException("an event has two data lines");
            else if (line[0] != ':') throw new InvalidDataException($"unexpected line in the stream: {line}");
        }
    }
}
