using System.Text.Json;
using Flapjack.Server.Tests.Threads;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.OpenAICompat;

/// <summary>Answers that are JSON, asked for as OpenAI's clients do.</summary>
public sealed class CompatFormatTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private const string Oslo = """{"city":"Oslo"}""";
    private static readonly JsonElement City = JsonElement.Parse("""{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}""");
    private static readonly object[] Messages = [CompatCalls.User("go")];

    [Fact]
    public async Task A_chat_streams_its_answer_once_it_fits_the_schema()
    {
        var model = await world.AgentAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.Text("""{"city":5}"""), Script.Text("{\"city\"", ":\"Oslo\"}"));
        var stream = await world.ChatAsync(new { model, stream = true, messages = Messages, response_format = new { type = "json_schema", json_schema = new { name = "town", schema = City, strict = true } } }).StreamAsync();
        stream.ChatText.ShouldBe(Oslo);
        stream.IsDone.ShouldBeTrue();
        world.Upstream.LastRequest.Body.GetProperty("text").GetProperty("format").GetRawText().ShouldBe($$$"""{"type":"json_schema","name":"town","schema":{{{City.GetRawText()}}},"strict":true}""");
    }

    [Fact]
    public async Task A_response_fits_its_schema_and_repeats_the_format()
    {
        var model = await world.AgentAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.Text(Oslo));
        var format = JsonElement.Parse($$"""{"type":"json_schema","name":"town","schema":{{City.GetRawText()}},"strict":false}""");
        var response = await world.RespondAsync(new { model, input = "go", text = new { format } }).ShouldBe(200);
        response.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString().ShouldBe(Oslo);
        response.GetProperty("text").GetProperty("format").GetRawText().ShouldBe(format.GetRawText());
        world.Upstream.LastRequest.Body.GetProperty("text").GetProperty("format").GetProperty("strict").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task Json_without_a_schema_is_any_json()
    {
        var model = await world.AgentAsync();
        (await world.CompleteAsync(new { model, messages = new[] { CompatCalls.User($"/json {Oslo}") }, response_format = new { type = "json_object" } })).TextOf().ShouldBe(Oslo);
    }

    [Fact]
    public async Task The_format_holds_for_the_answer_after_a_call()
    {
        var model = await world.AgentAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.Text("no json"), Script.Text(Oslo));
        var messages = new object[]
        {
            CompatCalls.User("pick"), new { role = "assistant", tool_calls = new[] { new { id = "c1", type = "function", function = new { name = "pick", arguments = "{}" } } } },
            new { role = "tool", tool_call_id = "c1", content = "Oslo" },
        };
        (await world.CompleteAsync(new { model, messages, response_format = new { type = "json_schema", json_schema = new { name = "town", schema = City } } })).TextOf().ShouldBe(Oslo);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_answer_that_never_fits_is_an_error(bool stream)
    {
        var model = await world.AgentAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.Text("one"), Script.Text("two"), Script.Text("three"));
        var request = world.ChatAsync(new { model, stream, messages = Messages, response_format = new { type = "json_object" } });
        await request.ShouldFailAsync(422, "OUTPUT_SCHEMA_MISMATCH");
    }

    [Theory]
    [InlineData("""{"type":"json_schema"}""", 422, "response_format.json_schema")]
    [InlineData("""{"type":"json_schema","json_schema":{"name":"town"}}""", 422, "response_format.json_schema.schema")]
    [InlineData("""{"type":"json_schema","json_schema":{"name":"my town","schema":{}}}""", 422, "response_format.json_schema.name")]
    [InlineData("""{"type":"json_schema","json_schema":{"name":7,"schema":{}}}""", 400, "response_format.json_schema.name")]
    [InlineData("""{"type":"json_schema","json_schema":{"strict":"yes","schema":{}}}""", 400, "response_format.json_schema.strict")]
    [InlineData("""{"type":"json_schema","json_schema":{"schema":{"properties":{"a":{"type":"thing"}}}}}""", 422, "response_format.json_schema.schema.properties.a.type")]
    public async Task Bad_formats_of_a_chat(string format, int status, string param) =>
        await world.ChatAsync($$"""{"model":"{{await world.AgentAsync()}}","messages":[{"role":"user","content":"hi"}],"response_format":{{format}}}""")
            .ShouldFailAsync(status, status == 400 ? "INVALID_REQUEST" : "VALIDATION_ERROR", param);

    [Theory]
    [InlineData("""{"type":"json_schema","name":"town"}""", "text.format.schema")]
    [InlineData("""{"type":"json_schema","name":"my town","schema":{}}""", "text.format.name")]
    [InlineData("""{"type":"xml"}""", "text.format.type")]
    public async Task Bad_formats_of_a_response(string format, string param) =>
        await world.RespondAsync($$$"""{"model":"{{{await world.AgentAsync()}}}","input":"hi","text":{"format":{{{format}}}}}""").ShouldFailAsync(422, "VALIDATION_ERROR", param);
}
