using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Prompts;
using Flapjack.Testing;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Tests;

public sealed class AnthropicTests : ProviderTest
{
    private static readonly AITool[] Tools = [AIFunctionFactory.Create((string city) => city, "get_weather", "Weather of a city"), AIFunctionFactory.Create(() => "now", "get_time", "The time")];

    private static ChatMessage[] Conversation =>
    [
        new(ChatRole.System, [PromptSection.Create(PromptSection.StablePreamble, "You help."), PromptSection.Create(PromptSection.ThreadOverlay, "Speak plainly."), PromptSection.Create(PromptSection.Knowledge, "Facts.")]),
        new(ChatRole.User, "First"),
        new(ChatRole.Assistant, "Answer"),
        new(ChatRole.User, "Second"),
    ];

    [Fact]
    public async Task Breakpoints_stand_at_tools_stable_system_and_last_user_message()
    {
        var body = await SendAsync(Conversation, new() { Tools = Tools });
        Count(body, "cache_control").ShouldBe(3);
        body.GetProperty("tools")[0].TryGetProperty("cache_control", out _).ShouldBeFalse();
        body.GetProperty("tools")[1].GetProperty("cache_control").GetRawText().ShouldBe("""{"type":"ephemeral"}""");
        var system = body.GetProperty("system");
        system.GetArrayLength().ShouldBe(2);
        system[0].GetProperty("text").GetString().ShouldBe("You help.\n\nSpeak plainly.");
        system[0].TryGetProperty("cache_control", out _).ShouldBeTrue();
        system[1].GetProperty("text").GetString().ShouldBe("Facts.");
        system[1].TryGetProperty("cache_control", out _).ShouldBeFalse();
        body.GetProperty("messages")[2].GetProperty("content")[0].TryGetProperty("cache_control", out _).ShouldBeTrue();
        body.GetProperty("messages")[0].GetProperty("content")[0].TryGetProperty("cache_control", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Cache_settings_change_lifetime_tools_and_all()
    {
        var hour = await SendAsync(Conversation, With(new() { CacheTtl = "1h", CacheTools = false }));
        Count(hour, "cache_control").ShouldBe(2);
        Count(hour, "\"ttl\":\"1h\"").ShouldBe(2);
        Count(await SendAsync(Conversation, With(new() { CacheDisabled = true })), "cache_control").ShouldBe(0);
    }

    [Fact]
    public async Task Thinking_goes_out_with_its_budget_and_beta_and_without_temperature()
    {
        var options = With(new() { ThinkingBudgetTokens = 10_000 });
        (options.Temperature, options.MaxOutputTokens) = (0.5f, 4_000);
        var body = await SendAsync(Conversation, options);
        body.GetProperty("thinking").GetRawText().ShouldBe("""{"type":"enabled","budget_tokens":10000}""");
        body.GetProperty("max_tokens").GetInt32().ShouldBe(14_000);
        body.TryGetProperty("temperature", out _).ShouldBeFalse();
        Upstream.LastRequest.Headers["anthropic-beta"].ShouldBe("interleaved-thinking-2025-05-14");
        options = new() { Temperature = 0.5f };
        (await SendAsync(Conversation, options)).GetProperty("temperature").GetDouble().ShouldBe(0.5);
        Upstream.LastRequest.Headers.ContainsKey("anthropic-beta").ShouldBeFalse();
        Upstream.LastRequest.Headers["anthropic-version"].ShouldBe("2023-06-01");
        Upstream.LastRequest.Headers["x-api-key"].ShouldBe("sk-test-0123456789");
    }

    [Fact]
    public async Task The_long_context_beta_belongs_to_models_marked_so_and_betas_are_settings()
    {
        using var clients = new ChatClients(Time, new() { Betas = new() { LongContext = "ctx-9", InterleavedThinking = "" } });
        await ReadAsync(clients.For(Endpoint(Protocol.Messages) with { LongContextBeta = true }), Conversation, With(new() { ThinkingBudgetTokens = 2_000 }));
        Upstream.LastRequest.Headers["anthropic-beta"].ShouldBe("ctx-9");
    }

    [Fact]
    public async Task Thinking_blocks_travel_back_with_their_signature_during_tool_steps()
    {
        var options = With(new() { ThinkingBudgetTokens = 2_000 });
        Upstream.Reply(Script.ToolCalls(new ScriptedCall("call_1", "get_weather", """{"city":"Oslo"}""")).After("Looking.").WithThinking("Oslo it is", "sig=="));
        var response = await Client(Protocol.Messages).GetResponseAsync(Conversation, options, TestContext.Current.CancellationToken);
        var body = await SendAsync([.. Conversation, .. response.Messages, new(ChatRole.Tool, [new FunctionResultContent("call_1", "4 °C")]), new(ChatRole.Tool, [new FunctionResultContent("call_0", "old")])], options);
        var messages = body.GetProperty("messages");
        messages[3].GetProperty("content").GetRawText().ShouldBe(
            """[{"type":"thinking","thinking":"Oslo it is","signature":"sig=="},{"type":"text","text":"Looking."},{"type":"tool_use","id":"call_1","name":"get_weather","input":{"city":"Oslo"}}]""");
        messages[4].GetProperty("content").EnumerateArray().Select(block => block.GetProperty("type").GetString()).ShouldBe(["tool_result", "tool_result"]);
        body.TryGetProperty("thinking", out _).ShouldBeTrue();
    }

    [Fact]
    public async Task A_summary_of_the_api_is_told_with_its_tokens_and_goes_back_where_it_can()
    {
        var options = With(new() { Compaction = new(60_000, null, false) });
        Upstream.Reply(Script.Text("Hello").WithUsage(new(4_000, 20)).Compacting("What was said.", "opaque", new(70_000, 500)));
        using var clients = new ChatClients(Time);
        var client = clients.For(Endpoint(Protocol.Messages) with { SupportsCompaction = true });
        var response = await client.GetResponseAsync(Conversation, options, TestContext.Current.CancellationToken);
        var compaction = response.Messages.SelectMany(message => message.Contents).OfType<CompactionContent>().ShouldHaveSingleItem();
        (compaction.Text, compaction.Data, compaction.BeforeTokens, compaction.AfterTokens).ShouldBe(("What was said.", "opaque", 70_000, 4_000));
        (response.Text, response.Usage!.InputTokenCount, response.Usage.OutputTokenCount).ShouldBe(("Hello", 74_000, 520));
        Upstream.LastRequest.Headers["anthropic-beta"].ShouldBe("compact-2026-01-12");

        ChatMessage[] rest = [new(ChatRole.Assistant, [CompactionContent.InPrompt(compaction.Text, compaction.Data), new TextContent("Hello")]), new(ChatRole.User, "Third")];
        await ReadAsync(client, rest, options);
        Upstream.LastRequest.Body.GetProperty("messages")[1].GetProperty("content")[0].GetRawText().ShouldBe("""{"type":"compaction","content":"What was said.","encrypted_content":"opaque","cache_control":{"type":"ephemeral"}}""");
        // A model that does not compact is given the same as text, and is not told to compact.
        (await SendAsync(rest, options)).GetProperty("messages")[1].GetProperty("content")[0].GetRawText().ShouldBe("""{"type":"text","text":"What was said."}""");
        Upstream.LastRequest.Body.TryGetProperty("context_management", out _).ShouldBeFalse();
        Upstream.LastRequest.Headers.ContainsKey("anthropic-beta").ShouldBeFalse();
    }

    [Fact]
    public async Task Without_its_beta_no_summary_is_asked_for()
    {
        using var clients = new ChatClients(Time, new() { Betas = new() { Compaction = "" } });
        await ReadAsync(clients.For(Endpoint(Protocol.Messages) with { SupportsCompaction = true }), Conversation, With(new() { Compaction = new(60_000, null, false) }));
        Upstream.LastRequest.Body.TryGetProperty("context_management", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_tool_step_whose_thinking_is_gone_goes_on_without()
    {
        ChatMessage[] resumed = [.. Conversation, new(ChatRole.Assistant, [ToolCallArguments.Create("call:1", "get_weather", "{}")]), new(ChatRole.Tool, [new FunctionResultContent("call:1", "4 °C")])];
        var body = await SendAsync(resumed, With(new() { ThinkingBudgetTokens = 2_000 }));
        body.TryGetProperty("thinking", out _).ShouldBeFalse();
        body.GetProperty("messages")[3].GetProperty("content")[0].GetProperty("id").GetString().ShouldBe("call_1");
    }

    [Fact]
    public async Task Neighbours_of_one_role_merge_and_tool_results_come_first()
    {
        var body = await SendAsync(
        [
            new(ChatRole.Assistant, "I begin"),
            new(ChatRole.User, "a"), new(ChatRole.User, " "), new(ChatRole.User, "b"),
            new(ChatRole.Assistant, [ToolCallArguments.Create("c1", "x", "{}")]), new(ChatRole.Assistant, [ToolCallArguments.Create("c2", "y", "{}")]),
            new(ChatRole.User, "meanwhile"), new(ChatRole.Tool, [new FunctionResultContent("c1", "1")]), new(ChatRole.Tool, [new FunctionResultContent("c2", "2") { Exception = new InvalidOperationException() }]),
        ]);
        string.Join(" ", body.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("role").GetString() + ":"
            + string.Join(",", message.GetProperty("content").EnumerateArray().Select(block => block.GetProperty("type").GetString()))))
            .ShouldBe("user:text assistant:text user:text,text assistant:tool_use,tool_use user:tool_result,tool_result,text");
        Count(body, "\"is_error\":true").ShouldBe(1);
        // No tools were offered, but the conversation used some.
        body.GetProperty("tool_choice").GetProperty("type").GetString().ShouldBe("none");
        body.GetProperty("tools").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task Documents_are_sent_natively_where_the_protocol_takes_them()
    {
        var body = await SendAsync([new(ChatRole.User, [
            new DataContent(new byte[] { 1 }, "application/pdf") { Name = "a.pdf" }, new DataContent("hi"u8.ToArray(), "text/markdown"), new DataContent(new byte[] { 1 }, "application/zip") { Name = "z.zip" },
            new UriContent("https://example.com/p.png", "image/png")])]);
        var blocks = body.GetProperty("messages")[0].GetProperty("content");
        blocks[0].GetRawText().ShouldBe("""{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AQ=="},"title":"a.pdf"}""");
        blocks[1].GetProperty("source").GetProperty("data").GetString().ShouldBe("hi");
        blocks[2].GetProperty("text").GetString()!.ShouldContain("z.zip");
        blocks[3].GetProperty("source").GetProperty("url").GetString().ShouldBe("https://example.com/p.png");
    }

    [Fact]
    public async Task A_schema_is_enforced_when_strict_and_closed_and_asked_for_otherwise()
    {
        var schema = JsonElement.Parse("""{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}""");
        var strict = await SendAsync(Conversation, new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(schema), AdditionalProperties = new() { ["strictJsonSchema"] = true } });
        strict.GetProperty("output_config").GetProperty("format").GetProperty("type").GetString().ShouldBe("json_schema");
        var asked = await SendAsync(Conversation, new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(schema) });
        asked.TryGetProperty("output_config", out _).ShouldBeFalse();
        asked.GetProperty("system")[1].GetProperty("text").GetString()!.ShouldContain("additionalProperties");
    }

    [Fact]
    public async Task A_base_address_with_version_is_accepted()
    {
        await ReadAsync(Clients.For(Endpoint(Protocol.Messages) with { Kind = ProviderKinds.AnthropicCompatible, BaseUrl = Upstream.OpenAI, ApiKey = null }));
        Upstream.LastRequest.Path.ShouldBe("/v1/messages");
    }

    private static ChatOptions With(AnthropicSettings settings)
    {
        var options = new ChatOptions { Tools = Tools };
        new ModelSettings { Anthropic = settings }.AttachTo(options);
        return options;
    }

    private static int Count(JsonElement body, string part) => body.GetRawText().Split(part).Length - 1;

    private async Task<JsonElement> SendAsync(ChatMessage[] messages, ChatOptions? options = null)
    {
        await ReadAsync(Client(Protocol.Messages), messages, options);
        return Upstream.LastRequest.Body;
    }
}
