using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Testing;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Tests;

/// <summary>Which formats of an answer travel in a field of the protocol, and which in words.</summary>
public sealed class FormatTests : ProviderTest
{
    private const string Closed = """{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}""";

    /// <summary>A schema, and whether OpenAI and Anthropic are asked to enforce it.</summary>
    [Theory]
    [InlineData(Closed, true, true)]
    [InlineData("""{"type":"object","properties":{"list":{"type":"array","items":{"$ref":"#/$defs/x"}}},"required":["list"],"additionalProperties":false,"$defs":{"x":{"anyOf":[{"type":"string"},{"type":"null"}]}}}""", true, true)]
    [InlineData("""{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"required":["n"],"additionalProperties":false}""", true, false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"required":["b"],"additionalProperties":false}""", false, false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}""", false, false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":["object","null"]}},"required":["a"],"additionalProperties":false}""", false, false)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","minLength":1}},"required":["a"],"additionalProperties":false}""", false, false)]
    [InlineData("""{"type":"object","properties":{"a":true},"required":["a"],"additionalProperties":false}""", false, false)]
    public async Task Only_schemas_of_the_vendors_subset_are_strict(string schema, bool openAI, bool anthropic)
    {
        var options = Asking(schema);
        (await SendAsync(Protocol.Responses, options)).GetProperty("text").GetProperty("format").GetProperty("strict").GetBoolean().ShouldBe(openAI);
        var body = await SendAsync(Protocol.Messages, options);
        body.TryGetProperty("output_config", out var config).ShouldBe(anthropic);
        if (anthropic) config.GetRawText().ShouldBe($$$"""{"format":{"type":"json_schema","schema":{{{schema}}}}}""");
        body.GetRawText().Contains("JSON Schema", StringComparison.Ordinal).ShouldBe(!anthropic);
    }

    [Fact]
    public async Task Who_does_not_ask_for_strictness_gets_none()
    {
        var options = Asking(Closed, strict: false);
        (await SendAsync(Protocol.Responses, options)).GetProperty("text").GetProperty("format").GetProperty("strict").GetBoolean().ShouldBeFalse();
        (await SendAsync(Protocol.Messages, options)).TryGetProperty("output_config", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_schema_that_is_no_object_is_asked_for_in_words_at_OpenAI()
    {
        var body = await SendAsync(Protocol.Responses, Asking("""{"type":"array"}"""));
        body.TryGetProperty("text", out _).ShouldBeFalse();
        body.GetProperty("instructions").GetString()!.ShouldEndWith("JSON Schema:\n{\"type\":\"array\"}");
    }

    [Theory]
    [InlineData("""{"error":{"message":"This response_format type is unavailable now","type":"invalid_request_error"}}""")]
    [InlineData("""{"error":{"message":"Invalid parameter","param":"response_format"}}""")]
    [InlineData("""{"error":{"code":400,"message":"Cannot use custom grammar constraints with tools."}}""")]
    public async Task A_server_that_refuses_the_format_is_asked_again_in_words(string refusal)
    {
        Upstream.Reply(Script.Status(400, refusal), Script.Text("{}"));
        var options = Asking(Closed);
        options.Instructions = "Be brief.";
        var updates = await ReadAsync(Client(Protocol.ChatCompletions), options: options);
        string.Concat(updates.Select(update => update.Text)).ShouldBe("{}");
        Upstream.Requests.Count.ShouldBe(2);
        Upstream.Requests[0].Body.TryGetProperty("response_format", out _).ShouldBeTrue();
        var again = Upstream.Requests[1].Body;
        again.TryGetProperty("response_format", out _).ShouldBeFalse();
        var system = again.GetProperty("messages")[0].GetProperty("content").GetString()!;
        system.ShouldStartWith("Be brief.");
        system.ShouldContain(Closed);
        // The caller's options stay as they were: the next step asks with the field again.
        options.ResponseFormat.ShouldNotBeNull();
        options.Instructions.ShouldBe("Be brief.");
    }

    [Fact]
    public async Task Refused_twice_is_refused()
    {
        Upstream.OtherwiseReply(Script.Status(400, """{"error":{"message":"response_format is not supported"}}"""));
        (await Should.ThrowAsync<ModelException>(() => ReadAsync(Client(Protocol.ChatCompletions), options: Asking(Closed)))).Code.ShouldBe("MODEL_ERROR");
        Upstream.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Another_refusal_is_not_about_the_format()
    {
        Upstream.OtherwiseReply(Script.Status(400, """{"error":{"message":"max_tokens is too large"}}"""));
        await Should.ThrowAsync<ModelException>(() => ReadAsync(Client(Protocol.ChatCompletions), options: Asking(Closed)));
        Upstream.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_model_that_takes_no_schema_is_asked_in_words()
    {
        var client = Clients.For(Endpoint(Protocol.ChatCompletions) with { SupportsJsonSchema = false });
        await ReadAsync(client, options: Asking(Closed));
        Upstream.LastRequest.Body.TryGetProperty("response_format", out _).ShouldBeFalse();
        Upstream.LastRequest.Body.GetRawText().ShouldContain("JSON Schema");
        await ReadAsync(client, options: new() { ResponseFormat = ChatResponseFormat.Json });
        Upstream.LastRequest.Body.GetProperty("response_format").GetRawText().ShouldBe("""{"type":"json_object"}""");
    }

    private static ChatOptions Asking(string schema, bool strict = true) =>
        new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(JsonElement.Parse(schema), "out"), AdditionalProperties = new() { ["strictJsonSchema"] = strict } };

    private async Task<JsonElement> SendAsync(Protocol protocol, ChatOptions options)
    {
        await ReadAsync(Client(protocol), options: options);
        return Upstream.LastRequest.Body;
    }
}
