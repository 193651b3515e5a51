using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flapjack.Server.Files;

/// <summary>A file inside a JSON request: a string in base64. It is decoded while the request is read; as a string in between it would take its size twice more.</summary>
[JsonConverter(typeof(Base64FieldConverter))]
public sealed class Base64Field
{
    internal Base64Field(bool isText, byte[]? bytes) => (IsText, Bytes) = (isText, bytes);

    /// <summary>False for anything but a string.</summary>
    internal bool IsText { get; }

    /// <summary>The content; null when the string is not base64.</summary>
    internal byte[]? Bytes { get; }
}

internal sealed class Base64FieldConverter : JsonConverter<Base64Field>
{
    public override Base64Field Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String) return new(isText: true, Decode(ref reader));
        reader.Skip();
        return new(isText: false, null);
    }

    public override void Write(Utf8JsonWriter writer, Base64Field value, JsonSerializerOptions options) => writer.WriteBase64StringValue(value.Bytes);

    private static byte[]? Decode(ref Utf8JsonReader reader)
    {
        if (reader.ValueIsEscaped || reader.HasValueSequence) return reader.TryGetBytesFromBase64(out var unescaped) ? unescaped : null;
        var base64 = reader.ValueSpan;
        var padding = base64.EndsWith("=="u8) ? 2 : base64.EndsWith("="u8) ? 1 : 0;
        var bytes = GC.AllocateUninitializedArray<byte>(Base64.GetMaxDecodedFromUtf8Length(base64.Length) - (base64.Length >= 4 ? padding : 0));
        if (Base64.DecodeFromUtf8(base64, bytes, out var consumed, out var written) != OperationStatus.Done || consumed != base64.Length) return null;
        // Spaces between the letters count for nothing.
        return written < bytes.Length ? bytes[..written] : bytes;
    }
}
