using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Flapjack.Server.Knowledge.Extraction.Formats;

/// <summary>JSON: each element of an array is a row of one line, and so is each of several documents in a file. Anything else is one text, indented.</summary>
internal static class JsonBlocks
{
    private const int MaxDepth = 256;
    private static readonly JsonReaderOptions Reading = new() { MaxDepth = MaxDepth + 1, AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, AllowMultipleValues = true };

    public static void Read(ReadOnlySpan<byte> content, BlockSink sink)
    {
        if (content.StartsWith<byte>([0xEF, 0xBB, 0xBF])) content = content[3..];
        var reader = new Utf8JsonReader(content, Reading);
        var documents = 0;
        string? only = null;
        while (!sink.IsFull && Next(ref reader))
        {
            if (++documents == 2 && only is not null) AddRow(only, sink);
            if (reader.TokenType == JsonTokenType.StartArray && documents == 1)
            {
                while (!sink.IsFull && Next(ref reader) && reader.TokenType != JsonTokenType.EndArray) sink.Add(BlockKind.Row, Copy(ref reader, isIndented: false));
            }
            else if (documents == 1)
            {
                only = Copy(ref reader, isIndented: true);
            }
            else
            {
                sink.Add(BlockKind.Row, Copy(ref reader, isIndented: false));
            }
        }
        if (documents == 1 && only is not null) sink.Add(BlockKind.Code, only);
    }

    private static bool Next(ref Utf8JsonReader reader)
    {
        if (!reader.Read()) return false;
        return reader.CurrentDepth < MaxDepth ? true : throw new ExtractionException(ExtractionException.TooComplex);
    }

    // Each line of a document among several stands for a record.
    private static void AddRow(string document, BlockSink sink)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(document), Reading);
        reader.Read();
        sink.Add(BlockKind.Row, Copy(ref reader, isIndented: false));
    }

    /// <summary>The value the reader stands at, up to its end, with every escape resolved.</summary>
    private static string Copy(ref Utf8JsonReader reader, bool isIndented)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, new() { Indented = isIndented, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = MaxDepth + 1, SkipValidation = true }))
        {
            var depth = 0;
            do
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject:
                        writer.WriteStartObject();
                        depth++;
                        break;
                    case JsonTokenType.StartArray:
                        writer.WriteStartArray();
                        depth++;
                        break;
                    case JsonTokenType.EndObject:
                        writer.WriteEndObject();
                        depth--;
                        break;
                    case JsonTokenType.EndArray:
                        writer.WriteEndArray();
                        depth--;
                        break;
                    case JsonTokenType.PropertyName: writer.WritePropertyName(reader.GetString()!); break;
                    case JsonTokenType.String: writer.WriteStringValue(reader.GetString()); break;
                    case JsonTokenType.Number: writer.WriteRawValue(reader.ValueSpan, skipInputValidation: true); break;
                    case JsonTokenType.True or JsonTokenType.False: writer.WriteBooleanValue(reader.GetBoolean()); break;
                    default: writer.WriteNullValue(); break;
                }
                // Indentation can make a hundred times of a text.
                if (writer.BytesCommitted + writer.BytesPending > BlockSink.MaxCharacters * 2L) throw new ExtractionException(ExtractionException.TooComplex);
            }
            while (depth > 0 && Next(ref reader));
            if (depth > 0) throw new ExtractionException(ExtractionException.Corrupt);
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
