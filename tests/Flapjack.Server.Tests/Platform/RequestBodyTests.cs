using System.Text;

namespace Flapjack.Server.Tests.Platform;

/// <summary>How JSON bodies are taken, seen at <c>POST /api/agents</c>.</summary>
public sealed class RequestBodyTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("{")]
    [InlineData("{\"name\":\"a\"} x")]
    [InlineData("{'name':'a'}")]
    [InlineData("{\"name\":\"a\",}")]
    [InlineData("nul")]
    [InlineData("{\"name\":\"\\ud800\"}")]
    public async Task Text_that_is_no_json_is_400_INVALID_JSON(string body) => await Post(JsonText.Content(body)).ShouldBeError(400, "INVALID_JSON");

    [Fact]
    public async Task Bytes_that_are_no_utf8_are_400_INVALID_JSON() =>
        await Post(JsonText.Content([.. "{\"name\":\""u8, 0xC3, 0x28, .. "\"}"u8], "application/json")).ShouldBeError(400, "INVALID_JSON");

    [Fact]
    public async Task Nesting_without_end_is_400()
    {
        var deep = "{\"name\":\"a\",\"metadata\":" + new string('[', 5_000) + new string(']', 5_000) + "}";
        var error = await Post(JsonText.Content(deep)).ShouldBe(400);
        error.GetProperty("error").GetString().ShouldBeOneOf("INVALID_JSON", "INVALID_REQUEST");
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("7")]
    public async Task A_body_that_is_no_object_is_400_INVALID_REQUEST(string body) => await Post(JsonText.Content(body)).ShouldBeError(400, "INVALID_REQUEST");

    [Theory]
    [InlineData("{\"name\":7}", "name")]
    [InlineData("{\"name\":[\"a\"]}", "name")]
    [InlineData("{\"name\":\"a\",\"maxToolCalls\":\"5\"}", "maxToolCalls")]
    [InlineData("{\"name\":\"a\",\"maxToolCalls\":1.5}", "maxToolCalls")]
    [InlineData("{\"name\":\"a\",\"temperature\":true}", "temperature")]
    public async Task A_field_of_the_wrong_type_is_400_with_its_path(string body, string field) =>
        await Post(JsonText.Content(body)).ShouldBeError(400, "INVALID_REQUEST", field);

    [Fact]
    public async Task The_character_zero_is_400() => await Post(JsonText.Content("{\"name\":\"a\\u0000b\"}")).ShouldBeError(400, "INVALID_REQUEST", "name");

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/json; charset=nonsense")]
    [InlineData("not a media type")]
    public async Task Another_content_type_or_charset_is_415(string contentType) =>
        await Post(JsonText.Content("{\"name\":\"a\"}"u8.ToArray(), contentType)).ShouldBeError(415, "UNSUPPORTED_MEDIA_TYPE");

    [Theory]
    [InlineData("application/json")]
    [InlineData("APPLICATION/JSON; charset=UTF-8")]
    [InlineData("application/merge-patch+json")]
    [InlineData(null)]
    public async Task Json_by_any_of_its_names_or_none_is_taken(string? contentType) =>
        await Post(JsonText.Content("{\"name\":\"a\"}"u8.ToArray(), contentType)).ShouldBe(201);

    [Fact]
    public async Task A_byte_order_mark_is_skipped() =>
        await Post(JsonText.Content([.. Encoding.UTF8.Preamble, .. "{\"name\":\"a\"}"u8], "application/json")).ShouldBe(201);

    [Fact]
    public async Task No_body_counts_as_an_empty_object() => await Post(null).ShouldBeError(422, "VALIDATION_ERROR", "name");

    [Fact]
    public async Task Too_large_is_413() =>
        await Post(JsonText.Content("{\"name\":\"a\",\"x\":\"" + new string('x', 10 * 1024 * 1024) + "\"}")).ShouldBeError(413, "PAYLOAD_TOO_LARGE");

    [Theory]
    [InlineData("{\"name\":\"a\",\"maxToolCalls\":3}", 3)]
    [InlineData("{\"name\":\"a\",\"max_tool_calls\":4}", 4)]
    [InlineData("{\"name\":\"a\",\"maxToolCalls\":3,\"max_tool_calls\":4}", 3)]
    [InlineData("{\"name\":\"a\",\"max_tool_calls\":4,\"maxToolCalls\":3}", 3)]
    public async Task Both_spellings_are_taken_and_camelCase_wins(string body, int expected) =>
        (await Post(JsonText.Content(body)).ShouldBe(201)).GetProperty("max_tool_calls").GetInt32().ShouldBe(expected);

    [Fact]
    public async Task Unknown_fields_are_ignored() => await Post(JsonText.Content("{\"name\":\"a\",\"nobody\":{\"knows\":1}}")).ShouldBe(201);

    [Fact]
    public async Task Several_faults_are_told_at_once()
    {
        var error = await Post(JsonText.Content("{\"temperature\":9,\"maxToolCalls\":0}")).ShouldBeError(422, "VALIDATION_ERROR");
        error.GetProperty("fields").EnumerateArray().Select(f => f.GetProperty("field").GetString()).ShouldContain("temperature");
    }

    private Task<HttpResponseMessage> Post(HttpContent? content) => server.Client.PostAsync("/api/agents", content, Token);
}
