using Flapjack.Server.Agents.Marketplace;
using FsCheck;
using FsCheck.Fluent;

namespace Flapjack.Server.Tests.Agents.Marketplace;

public sealed class ImageHeaderTests
{
    private static readonly Func<int, int, byte[]>[] Kinds =
    [
        (width, height) => Pictures.Png(width, height), Pictures.Gif, (width, height) => Pictures.Jpeg(width, height), (width, height) => Pictures.Jpeg(width, height, 0xC2),
        Pictures.WebpLossy, Pictures.WebpLossless, Pictures.WebpExtended,
    ];

    private static readonly Gen<(byte[] Picture, int Width, int Height)> Drawn =
        from kind in Gen.Elements(Kinds)
        from width in Gen.Choose(1, 16_000)
        from height in Gen.Choose(1, 16_000)
        select (kind(width, height), width, height);

    private static readonly Gen<byte[]> Random =
        from count in Gen.Choose(0, 200)
        from bytes in Gen.ListOf(Gen.Choose(0, 255), count)
        select bytes.Select(b => (byte)b).ToArray();

    /// <summary>A picture that was cut, and has other bytes behind a place in it.</summary>
    private static readonly Gen<byte[]> Damaged =
        from drawn in Drawn
        from length in Gen.Choose(0, drawn.Picture.Length)
        from noise in Random
        from at in Gen.Choose(0, Math.Max(0, length - 1))
        select drawn.Picture[..length].Select((b, i) => i >= at && i - at < noise.Length ? noise[i - at] : b).ToArray();

    [Fact]
    public void The_size_of_a_picture_is_read() => Holds(Drawn, drawn => ImageHeader.Read(drawn.Picture) is { } header && (header.Width, header.Height) == (drawn.Width, drawn.Height));

    [Theory]
    [InlineData(0, "image/png")]
    [InlineData(1, "image/gif")]
    [InlineData(2, "image/jpeg")]
    [InlineData(3, "image/jpeg")]
    [InlineData(4, "image/webp")]
    [InlineData(5, "image/webp")]
    [InlineData(6, "image/webp")]
    public void The_type_is_told_by_the_content(int kind, string type) => ImageHeader.Read(Kinds[kind](3, 5)).ShouldBe(new ImageHeader(type, 3, 5));

    [Fact]
    public void Random_bytes_are_refused_and_never_fail() => Holds(Random, bytes => ImageHeader.Read(bytes) is null or { Width: >= 0, Height: >= 0 });

    [Fact]
    public void Damaged_pictures_never_fail() => Holds(Damaged, bytes => ImageHeader.Read(bytes) is null or { Width: >= 0, Height: >= 0 });

    [Fact]
    public void Every_beginning_of_a_picture_is_its_size_or_none()
    {
        foreach (var kind in Kinds)
        {
            var whole = kind(300, 200);
            for (var length = 0; length < whole.Length; length++)
            {
                var header = ImageHeader.Read(whole.AsSpan(0, length));
                if (header is not null) (header.Value.Width, header.Value.Height).ShouldBeOneOf((0, 0), (300, 200));
            }
        }
    }

    [Fact]
    public void Sides_that_no_number_holds_are_no_fault() => ImageHeader.Read(Pictures.Png(-1, -1)).ShouldBe(new ImageHeader("image/png", uint.MaxValue, uint.MaxValue));

    private static void Holds<T>(Gen<T> cases, Func<T, bool> property) => Prop.ForAll(cases.ToArbitrary(), property).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));
}
