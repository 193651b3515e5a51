using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Flapjack.Server.Files;

/// <summary>Files inside JSON.</summary>
internal static class Base64Content
{
    /// <summary>Decodes a string straight into what is kept: the JSON library goes through a rented buffer of the string's size, which the pool then keeps.</summary>
    public static bool TryDecode(JsonElement text, out byte[] bytes)
    {
        var raw = JsonMarshal.GetRawUtf8Value(text);
        var base64 = raw[1..^1];
        if (base64.Contains((byte)'\\')) return text.TryGetBytesFromBase64(out bytes!);
        var padding = base64.EndsWith("=="u8) ? 2 : base64.EndsWith("="u8) ? 1 : 0;
        bytes = GC.AllocateUninitializedArray<byte>(Base64.GetMaxDecodedFromUtf8Length(base64.Length) - (base64.Length >= 4 ? padding : 0));
        if (Base64.DecodeFromUtf8(base64, bytes, out var consumed, out var written) != OperationStatus.Done || consumed != base64.Length) return false;
        // Spaces between the letters count for nothing.
        if (written < bytes.Length) bytes = bytes[..written];
        return true;
    }
}
