using System.Buffers.Binary;
using Flapjack.Server.Files;

namespace Flapjack.Server.Agents.Marketplace;

/// <summary>What the first bytes of a picture say about it. Nothing is decoded, so nothing can be made to decode.</summary>
/// <param name="MediaType">By its content.</param>
/// <param name="Width">Pixels, as the header says.</param>
/// <param name="Height">Pixels, as the header says.</param>
internal readonly record struct ImageHeader(string MediaType, long Width, long Height)
{
    /// <summary>The header; null when this is no png, jpeg, webp or gif. One whose size cannot be read has 0 pixels.</summary>
    public static ImageHeader? Read(ReadOnlySpan<byte> image)
    {
        var type = FileTypes.Detect(image[..Math.Min(image.Length, FileTypes.HeadBytes)], "", null);
        if (type is null || !FileTypes.IsImage(type)) return null;
        var (width, height) = type switch
        {
            "image/png" => Png(image),
            "image/gif" => Gif(image),
            "image/webp" => Webp(image),
            _ => Jpeg(image),
        };
        return new(type, width, height);
    }

    private static (long Width, long Height) Png(ReadOnlySpan<byte> image) => image.Length >= 24 && image[12..].StartsWith("IHDR"u8)
        ? (BinaryPrimitives.ReadUInt32BigEndian(image[16..]), BinaryPrimitives.ReadUInt32BigEndian(image[20..]))
        : default;

    private static (long Width, long Height) Gif(ReadOnlySpan<byte> image) => image.Length >= 10
        ? (BinaryPrimitives.ReadUInt16LittleEndian(image[6..]), BinaryPrimitives.ReadUInt16LittleEndian(image[8..]))
        : default;

    private static (long Width, long Height) Webp(ReadOnlySpan<byte> image)
    {
        if (image.Length < 30) return default;
        var chunk = image[12..16];
        var data = image[20..];
        // Lossy: a frame tag, a start code, then sides of 14 bits with a scale above them.
        if (chunk.SequenceEqual("VP8 "u8) && data[3..].StartsWith<byte>([0x9D, 0x01, 0x2A])) return (BinaryPrimitives.ReadUInt16LittleEndian(data[6..]) & 0x3FFF, BinaryPrimitives.ReadUInt16LittleEndian(data[8..]) & 0x3FFF);
        // Lossless: sides less one, 14 bits each.
        if (chunk.SequenceEqual("VP8L"u8) && data[0] == 0x2F && BinaryPrimitives.ReadUInt32LittleEndian(data[1..]) is var bits) return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1);
        // Extended: the sides of the canvas less one, 24 bits each.
        if (chunk.SequenceEqual("VP8X"u8)) return (Three(data[4..]) + 1, Three(data[7..]) + 1);
        return default;
    }

    private static int Three(ReadOnlySpan<byte> bytes) => bytes[0] | bytes[1] << 8 | bytes[2] << 16;

    /// <summary>Goes from segment to segment until the one that begins the frame.</summary>
    private static (long Width, long Height) Jpeg(ReadOnlySpan<byte> image)
    {
        var at = 2;
        while (at + 4 <= image.Length)
        {
            if (image[at] != 0xFF) return default;
            var marker = image[at + 1];
            // Any number of fill bytes may stand before a marker, and some markers stand alone.
            if (marker is 0xFF)
            {
                at++;
                continue;
            }
            if (marker is 0x01 or (>= 0xD0 and <= 0xD8))
            {
                at += 2;
                continue;
            }
            if (IsFrame(marker)) return image.Length >= at + 9 ? (BinaryPrimitives.ReadUInt16BigEndian(image[(at + 7)..]), BinaryPrimitives.ReadUInt16BigEndian(image[(at + 5)..])) : default;
            // The picture itself, or its end: no frame was announced before it.
            if (marker is 0xDA or 0xD9 or 0x00) return default;
            var length = BinaryPrimitives.ReadUInt16BigEndian(image[(at + 2)..]);
            if (length < 2) return default;
            at += 2 + length;
        }
        return default;
    }

    // C4, C8 and CC are tables in the same range.
    private static bool IsFrame(byte marker) => marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC);
}
