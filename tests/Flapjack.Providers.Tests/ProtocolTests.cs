using Flapjack.Runtime.Models;
using Flapjack.Testing;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Tests;

/// <summary>What every protocol has to do alike.</summary>
public sealed class ProtocolTests : ProviderTest
{
    private static readonly ScriptedCall Weather = new("call_1", "get_weather", """{"city":"Oslo","days":[1,2]}""");
    private static readonly ScriptedCall Time1 = new("call_2", "get_time", """{"zone":"CET"}""");

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Text_arrives_delta_by_delta_with_model_and_finish_reason(Protocol protocol)
    {
        Upstream.Reply(Script.Text("It is ", "4 °C ", "in \"Oslo\" 🥞."));
        var updates = await ReadAsync(Client(protocol));
        updates.Where(update => update.Text.Length > 0).Select(update => update.Text).ShouldBe(["It is ", "4 °C ", "in \"Oslo\" 🥞."]);
        updates.ShouldAllBe(update => update.ModelId == Endpoint(protocol).Id);
        updates.Count(update => update.FinishReason is not null).ShouldBe(1);
        updates[^1].FinishReason.ShouldBe(ChatFinishReason.Stop);
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Tool_calls_arrive_whole_and_in_order_after_the_text(Protocol protocol)
    {
        Upstream.Reply(Script.ToolCalls(Weather, Time1).After("Let me see."));
        var response = await Client(protocol).GetResponseAsync(Hello, cancellationToken: TestContext.Current.CancellationToken);
        response.FinishReason.ShouldBe(ChatFinishReason.ToolCalls);
        response.Text.ShouldBe("Let me see.");
        var calls = response.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>().ToArray();
        calls.Select(call => (call.CallId, call.Name, ToolCallArguments.TextOf(call))).ShouldBe([("call_1", "get_weather", Weather.Arguments), ("call_2", "get_time", Time1.Arguments)]);
        calls[0].Arguments!["city"]!.ToString().ShouldBe("Oslo");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Arguments_that_are_no_JSON_keep_their_text(Protocol protocol)
    {
        Upstream.Reply(Script.ToolCalls(new ScriptedCall("call_1", "get_weather", "{\"city\": Os")));
        var call = (await ReadAsync(Client(protocol))).SelectMany(update => update.Contents).OfType<FunctionCallContent>().Single();
        ToolCallArguments.TextOf(call).ShouldBe("{\"city\": Os");
        call.Arguments.ShouldBeNull();
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task A_call_without_arguments_has_an_empty_object(Protocol protocol)
    {
        Upstream.Reply(Script.ToolCalls(new ScriptedCall("call_1", "now", "")));
        var call = (await ReadAsync(Client(protocol))).SelectMany(update => update.Contents).OfType<FunctionCallContent>().Single();
        ToolCallArguments.TextOf(call).ShouldBe("{}");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Usage_counts_all_prompt_tokens_cached_ones_included(Protocol protocol)
    {
        Upstream.Reply(Script.Text("a").WithUsage(new(1_000, 20, CacheRead: 800, CacheWrite: protocol == Protocol.Messages ? 150 : 0)));
        var usage = (await ReadAsync(Client(protocol))).SelectMany(update => update.Contents).OfType<UsageContent>().Single().Details;
        usage.InputTokenCount.ShouldBe(1_000);
        usage.OutputTokenCount.ShouldBe(20);
        usage.CachedInputTokenCount.ShouldBe(800);
        usage.AdditionalCounts![ModelUsage.CacheWriteCount].ShouldBe(protocol == Protocol.Messages ? 150 : 0);
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Length_and_filter_are_finish_reasons(Protocol protocol)
    {
        Upstream.Reply(Script.Text("a").EndedByLength(), Script.Text("a").Filtered());
        (await ReadAsync(Client(protocol)))[^1].FinishReason.ShouldBe(ChatFinishReason.Length);
        (await ReadAsync(Client(protocol)))[^1].FinishReason.ShouldBe(ChatFinishReason.ContentFilter);
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Unknown_events_pings_and_comments_are_dropped(Protocol protocol)
    {
        Upstream.Reply(Script.Text("a", "b").WithUnknownEvents());
        string.Concat((await ReadAsync(Client(protocol))).Select(update => update.Text)).ShouldBe("ab");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task A_history_with_calls_results_and_pictures_is_accepted(Protocol protocol)
    {
        ChatMessage[] history =
        [
            new(ChatRole.System, [new TextContent("You are kind."), new TextContent("Be short.")]),
            new(ChatRole.User, [new TextContent("What is this?"), new DataContent(new byte[] { 1, 2, 3 }, "image/png")]),
            new(ChatRole.Assistant, [ToolCallArguments.Create("call_1", "look", "{broken")]),
            new(ChatRole.Tool, [new FunctionResultContent("call_1", "{\"error\":\"INVALID_ARGUMENTS\"}")]),
        ];
        await ReadAsync(Client(protocol), history);
        var body = Upstream.LastRequest.Body.GetRawText();
        body.ShouldContain("You are kind.\\n\\nBe short.");
        body.ShouldContain("AQID");
        body.ShouldContain("INVALID_JSON");
        body.ShouldContain("INVALID_ARGUMENTS");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Text_that_is_no_valid_Unicode_is_sent_repaired(Protocol protocol)
    {
        await ReadAsync(Client(protocol), [new(ChatRole.User, "half a pair: \ud83e!")]);
        Upstream.LastRequest.Body.GetRawText().ShouldContain("half a pair: ");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task One_client_serves_many_calls_at_once(Protocol protocol)
    {
        Upstream.OtherwiseReply(Script.Text([.. Enumerable.Range(0, 50).Select(i => $"{i} ")]));
        var client = Client(protocol);
        var padding = new string('x', 200_000);
        var texts = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i => string.Concat((await ReadAsync(client, [new(ChatRole.User, $"{i} {padding}")])).Select(update => update.Text))));
        texts.Distinct().ShouldHaveSingleItem().ShouldBe(string.Concat(Enumerable.Range(0, 50).Select(i => $"{i} ")));
        Upstream.Requests.Select(request => request.Body.GetRawText()).Distinct().Count().ShouldBe(20);
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Extra_headers_are_sent_and_replace_ours(Protocol protocol)
    {
        var endpoint = Endpoint(protocol) with { Headers = new Dictionary<string, string> { ["X-Team"] = "blue", ["Accept"] = "text/plain" } };
        await ReadAsync(Clients.For(endpoint));
        Upstream.LastRequest.Headers["X-Team"].ShouldBe("blue");
        Upstream.LastRequest.Headers["Accept"].ShouldBe("text/plain");
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task The_callers_cancellation_stays_a_cancellation(Protocol protocol)
    {
        Upstream.Reply(Script.Text("a", "b").SilentAfter(1));
        using var stop = new CancellationTokenSource();
        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var update in Client(protocol).GetStreamingResponseAsync(Hello, null, stop.Token))
            {
                await stop.CancelAsync();
            }
        });
    }
}
