using System.Text;
using System.Text.Json;
using Flapjack.Server.Files;

namespace Flapjack.Server.Tests.Files;

public sealed class Base64ContentTests
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
        var isGood = Base64Content.TryDecode(JsonElement.Parse(json), out var bytes);
        isGood.ShouldBe(content is not null);
        if (content is not null) Encoding.UTF8.GetString(bytes).ShouldBe(content);
        JsonElement.Parse(json).TryGetBytesFromBase64(out var known).ShouldBe(isGood, "as the JSON library sees it");
        if (isGood) bytes.ShouldBe(known);
    }
}
