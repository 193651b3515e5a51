using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;

namespace Flapjack.Server.Knowledge.Extraction.Processes;

/// <summary>What a process that read a document told.</summary>
internal sealed record ReadDocument(IReadOnlyList<DocumentBlock> Blocks, string? Title, string? Base, IReadOnlyList<string> Links);

/// <summary>Reads what <see cref="BlockWriter"/> wrote. The process had a hostile document in its hands, so nothing of it is taken for granted.</summary>
internal static class BlockReader
{
    private const int MaxTitle = 300;

    // A block with every character escaped, or ten thousand links.
    private const int MaxLine = 24 * 1024 * 1024;

    /// <summary>Null when the output breaks off: the process was killed or fell over.</summary>
    public static async Task<ReadDocument?> ReadAsync(Stream output, CancellationToken cancellationToken)
    {
        var blocks = new List<DocumentBlock>();
        var characters = 0L;
        var pipe = PipeReader.Create(output, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        while (true)
        {
            var read = await pipe.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = Parse(buffer.Slice(0, end));
                if (line.Ending is { } ending) return ending with { Blocks = blocks };
                if (line.Block is null || (characters += line.Block.Text.Length) > BlockSink.MaxCharacters) return null;
                blocks.Add(line.Block);
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }
            pipe.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted || buffer.Length > MaxLine) return null;
        }
    }

    private static (DocumentBlock? Block, ReadDocument? Ending) Parse(in ReadOnlySequence<byte> line)
    {
        try
        {
            using var json = JsonDocument.Parse(line, new() { MaxDepth = 3 });
            var root = json.RootElement;
            if (root.TryGetProperty("error", out var error)) throw new ExtractionException(Known(error.GetString()));
            if (root.TryGetProperty("end", out _)) return (null, new([], Title(Text(root, "title")), Text(root, "base"), [.. root.GetProperty("links").EnumerateArray().Select(l => l.GetString()!)]));
            var kind = (BlockKind)root.GetProperty("kind").GetInt32();
            var text = root.GetProperty("text").GetString();
            if (!Enum.IsDefined(kind) || text is not { Length: > 0 and <= BlockSink.MaxBlock }) return default;
            return (new(kind, text, root.TryGetProperty("level", out var level) ? Math.Clamp(level.GetInt32(), 0, 9) : 0), null);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return default;
        }
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    private static string? Title(string? text)
    {
        var title = string.Join(' ', (text ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return title.Length == 0 ? null : title.Length <= MaxTitle ? title : title[..(char.IsHighSurrogate(title[MaxTitle - 1]) ? MaxTitle - 1 : MaxTitle)];
    }

    private static string Known(string? code) =>
        code is ExtractionException.NoText or ExtractionException.Encrypted or ExtractionException.TooComplex or ExtractionException.Unsupported ? code : ExtractionException.Corrupt;
}
