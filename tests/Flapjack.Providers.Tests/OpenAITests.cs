using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Testing;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Tests;

public sealed class OpenAITests : ProviderTest
{
    private static readonly AITool Weather = AIFunctionFactory.Create((string city) => city, "get_weather", "Weather of a city");
    private static readonly JsonElement Closed = JsonElement.Parse("""{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}""");

    [Fact]
    public async Task Responses_are_not_stored_and_carry_cache_key_and_safety_identifier()
    {
        var options = new ChatOptions { Temperature = 1, MaxOutputTokens = 100, Tools = [Weather] };
        new ModelSettings { OpenAI = new() { PromptCacheKey = "thread-1", SafetyIdentifier = "org-1" } }.AttachTo(options);
        var body = await SendAsync(Protocol.Responses, Hello, options);
        body.GetProperty("store").GetBoolean().ShouldBeFalse();
        body.GetProperty("stream").GetBoolean().ShouldBeTrue();
        body.GetProperty("prompt_cache_key").GetString().ShouldBe("thread-1");
        body.GetProperty("safety_identifier").GetString().ShouldBe("org-1");
        body.GetProperty("max_output_tokens").GetInt32().ShouldBe(100);
        body.TryGetProperty("temperature", out _).ShouldBeFalse();
        body.GetProperty("tools")[0].GetProperty("name").GetString().ShouldBe("get_weather");
        body.GetProperty("tools")[0].GetProperty("parameters").GetProperty("properties").TryGetProperty("city", out _).ShouldBeTrue();
        Upstream.LastRequest.Headers["Authorization"].ShouldBe("Bearer sk-test-0123456789");
    }

    [Fact]
    public async Task Disabled_settings_send_neither()
    {
        var options = new ChatOptions();
        new ModelSettings { OpenAI = new() { Disabled = true, PromptCacheKey = "thread-1", SafetyIdentifier = "org-1" } }.AttachTo(options);
        var body = (await SendAsync(Protocol.Responses, Hello, options)).GetRawText();
        body.ShouldNotContain("thread-1");
        body.ShouldNotContain("org-1");
    }

    [Fact]
    public async Task Encrypted_reasoning_travels_back_during_tool_steps()
    {
        Upstream.Reply(Script.ToolCalls(new ScriptedCall("call_1", "get_weather", """{"city":"Oslo"}""")).WithThinking("", "gAAA"));
        var response = await Client(Protocol.Responses).GetResponseAsync(Hello, cancellationToken: TestContext.Current.CancellationToken);
        ChatMessage[] next = [.. Hello, .. response.Messages, new(ChatRole.Tool, [new FunctionResultContent("call_1", "{\"celsius\":4}")])];
        var input = (await SendAsync(Protocol.Responses, next)).GetProperty("input");
        input[1].GetRawText().ShouldBe("""{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAA"}""");
        input[2].GetRawText().ShouldBe("""{"type":"function_call","call_id":"call_1","name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}""");
        input[3].GetRawText().ShouldBe("""{"type":"function_call_output","call_id":"call_1","output":"{\"celsius\":4}"}""");
        // Another vendor's model that takes over is sent none of it.
        (await SendAsync(Protocol.Messages, next)).GetRawText().ShouldNotContain("gAAA");
    }

    [Fact]
    public async Task Response_formats_are_spelled_as_each_protocol_has_them()
    {
        var strict = new ChatOptions { ResponseFormat = ChatResponseFormat.ForJsonSchema(Closed, "out"), AdditionalProperties = new() { ["strictJsonSchema"] = true } };
        (await SendAsync(Protocol.Responses, Hello, strict)).GetProperty("text").GetProperty("format").GetRawText()
            .ShouldBe($$"""{"type":"json_schema","name":"out","schema":{{Closed.GetRawText()}},"strict":true}""");
        (await SendAsync(Protocol.ChatCompletions, Hello, strict)).GetProperty("response_format").GetRawText()
            .ShouldBe($$$"""{"type":"json_schema","json_schema":{"name":"out","schema":{{{Closed.GetRawText()}}},"strict":true}}""");
        var plain = await SendAsync(Protocol.Responses, Hello, new() { ResponseFormat = ChatResponseFormat.Json });
        plain.GetProperty("text").GetProperty("format").GetRawText().ShouldBe("""{"type":"json_object"}""");
        plain.GetProperty("instructions").GetString()!.ShouldContain("JSON");
    }

    [Fact]
    public async Task Chat_Completions_ask_for_usage_and_write_plain_text_as_a_string()
    {
        var body = await SendAsync(Protocol.ChatCompletions,
            [new(ChatRole.System, "Be kind."), .. Hello, new(ChatRole.Assistant, [ToolCallArguments.Create("c1", "look", "{\"a\": 1}")]), new(ChatRole.Tool, [new FunctionResultContent("c1", "seen")])],
            new() { Temperature = 0.5f, ToolMode = ChatToolMode.None, Tools = [Weather] });
        body.GetProperty("stream_options").GetProperty("include_usage").GetBoolean().ShouldBeTrue();
        body.GetProperty("temperature").GetDouble().ShouldBe(0.5);
        body.GetProperty("tool_choice").GetString().ShouldBe("none");
        body.GetProperty("model").GetString().ShouldBe("llama");
        body.GetProperty("messages").GetRawText().ShouldBe(
            """[{"role":"system","content":"Be kind."},{"role":"user","content":"Hello"},{"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{\"a\": 1}"}}]},{"role":"tool","tool_call_id":"c1","content":"seen"}]""");
    }

    [Fact]
    public async Task Parallel_calls_come_with_the_last_update_of_Chat_Completions()
    {
        Upstream.Reply(Script.ToolCalls(new ScriptedCall("a", "one", """{"x":"1234567890"}""", 9), new ScriptedCall("b", "two", """{"y":2}""", 1)));
        var last = (await ReadAsync(Client(Protocol.ChatCompletions)))[^1];
        last.Contents.OfType<FunctionCallContent>().Select(call => call.CallId).ShouldBe(["a", "b"]);
        last.FinishReason.ShouldBe(ChatFinishReason.ToolCalls);
    }

    private async Task<JsonElement> SendAsync(Protocol protocol, ChatMessage[] messages, ChatOptions? options = null)
    {
        await ReadAsync(Client(protocol), messages, options);
        return Upstream.LastRequest.Body;
    }
}
