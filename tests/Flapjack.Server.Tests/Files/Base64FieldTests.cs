using System.Text;
using System.Text.Json;
using Flapjack.Server.Files;

namespace Flapjack.Server.Tests.Files;

public sealed class Base64FieldTests
{
    [Theory]
    [InlineData("\"\"", "")]
    [InlineData("\"YQ==\"", "a")]
    [InlineData("\"YWI=\"", "ab")]
    [InlineData("\"YWJj\"", "abc")]
    [InlineData("\"YW Jj\"", "abc")]
    [InlineData("\"YQ== \"", "a")]
    [InlineData("\"YWJj\\nYQ==\"", "abca")]
    [InlineData("\"YWI\\u003d\"", "ab")]
    [InlineData("\"YQ\"", null)]
    [InlineData("\"=\"", null)]
    [InlineData("\"====\"", null)]
    [InlineData("\"YWJj!\"", null)]
    [InlineData("\"YQ==YQ==\"", null)]
    public void Content_is_what_the_letters_say(string json, string? content)
    {
        var field = JsonSerializer.Deserialize<Base64Field>(json)!;
        field.IsText.ShouldBeTrue();
        (field.Bytes is null ? null : Encoding.UTF8.GetString(field.Bytes)).ShouldBe(content);
        JsonElement.Parse(json).TryGetBytesFromBase64(out var known).ShouldBe(content is not null, "as the JSON library sees it");
        if (content is not null) field.Bytes.ShouldBe(known);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("true")]
    [InlineData("""{"a":["b"]}""")]
    public void Anything_else_is_no_text(string json)
    {
        var fields = JsonSerializer.Deserialize<List<Base64Field>>($"[{json},\"YQ==\"]")!;
        fields[0].IsText.ShouldBeFalse();
        fields[1].Bytes.ShouldBe("a"u8.ToArray());
    }
}
