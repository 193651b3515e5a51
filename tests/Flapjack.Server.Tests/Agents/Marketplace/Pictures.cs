using System.Buffers.Binary;

namespace Flapjack.Server.Tests.Agents.Marketplace;

/// <summary>Pictures of which only the header is real: nothing here looks further.</summary>
internal static class Pictures
{
    public static byte[] Png(int width = 64, int height = 64, int bytes = 64)
    {
        var picture = new byte[Math.Max(bytes, 33)];
        ((byte[])[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]).CopyTo(picture, 0);
        "IHDR"u8.CopyTo(picture.AsSpan(12));
        BinaryPrimitives.WriteInt32BigEndian(picture.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(picture.AsSpan(20), height);
        return picture;
    }

    public static byte[] Gif(int width = 64, int height = 64)
    {
        var picture = new byte[20];
        "GIF89a"u8.CopyTo(picture);
        BinaryPrimitives.WriteUInt16LittleEndian(picture.AsSpan(6), (ushort)width);
        BinaryPrimitives.WriteUInt16LittleEndian(picture.AsSpan(8), (ushort)height);
        return picture;
    }

    /// <summary>With an application segment, a table and fill bytes before the frame, as cameras write them.</summary>
    public static byte[] Jpeg(int width = 64, int height = 64, byte frame = 0xC0) =>
    [
        0xFF, 0xD8, 0xFF, 0xE0, 0, 6, 1, 2, 3, 4, 0xFF, 0xC4, 0, 4, 9, 9, 0xFF, 0xFF, 0xFF, frame, 0, 11, 8,
        (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, 1, 0x11, 0, 0, 0xFF, 0xDA, 0, 2, 0, 0, 0xFF, 0xD9,
    ];

    public static byte[] WebpLossy(int width = 64, int height = 64) =>
        Webp("VP8 "u8, [0x10, 0, 0, 0x9D, 0x01, 0x2A, (byte)width, (byte)(width >> 8), (byte)height, (byte)(height >> 8), 0, 0]);

    public static byte[] WebpLossless(int width = 64, int height = 64)
    {
        var bits = (uint)(width - 1) | (uint)(height - 1) << 14;
        return Webp("VP8L"u8, [0x2F, (byte)bits, (byte)(bits >> 8), (byte)(bits >> 16), (byte)(bits >> 24), 0, 0, 0, 0, 0]);
    }

    public static byte[] WebpExtended(int width = 64, int height = 64) =>
        Webp("VP8X"u8, [0, 0, 0, 0, (byte)(width - 1), (byte)(width - 1 >> 8), 0, (byte)(height - 1), (byte)(height - 1 >> 8), 0]);

    private static byte[] Webp(ReadOnlySpan<byte> chunk, ReadOnlySpan<byte> data)
    {
        var picture = new byte[20 + data.Length];
        "RIFF"u8.CopyTo(picture);
        BinaryPrimitives.WriteInt32LittleEndian(picture.AsSpan(4), picture.Length - 8);
        "WEBP"u8.CopyTo(picture.AsSpan(8));
        chunk.CopyTo(picture.AsSpan(12));
        BinaryPrimitives.WriteInt32LittleEndian(picture.AsSpan(16), data.Length);
        data.CopyTo(picture.AsSpan(20));
        return picture;
    }
}
