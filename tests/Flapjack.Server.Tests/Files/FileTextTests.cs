using Flapjack.Server.Files.Text;

namespace Flapjack.Server.Tests.Files;

/// <summary>Text whose character set nobody told.</summary>
public sealed class FileTextTests
{
    public static TheoryData<byte[], string> Texts => new()
    {
        { "größe €"u8.ToArray(), "größe €" },
        { [0xEF, 0xBB, 0xBF, (byte)'x'], "x" },
        { [0xFF, 0xFE, (byte)'x', 0, (byte)'y', 0], "xy" },
        { [0xFE, 0xFF, 0, (byte)'x', 0], "x" },
        { [0x67, 0x72, 0xF6, 0xDF, 0x65, 0x20, 0x80], "größe €" },
        { [(byte)'a', 0xE2, 0x82], "a" },
        { [], "" },
    };

    [Theory, MemberData(nameof(Texts))]
    public void Text_is_decoded_whatever_its_character_set(byte[] bytes, string text) => PlainText.Decode(bytes).ShouldBe(text);
}
