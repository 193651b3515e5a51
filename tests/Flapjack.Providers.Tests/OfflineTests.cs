using Flapjack.Runtime.Models;
using Flapjack.Runtime.Prompts;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Tests;

public sealed class OfflineTests : IDisposable
{
    private readonly ManualTime time = new();
    private readonly ChatClients clients;
    private readonly IChatClient model;

    public OfflineTests()
    {
        clients = new(time);
        model = clients.For(ModelEndpoint.Of(ModelCatalog.Find(ModelCatalog.OfflineId)!, ModelCatalog.OfflineId));
    }

    public void Dispose() => clients.Dispose();

    [Theory]
    [InlineData("/echo  two  blanks ", " two  blanks")]
    [InlineData("/echo", "")]
    [InlineData("/count 3", "1 2 3")]
    [InlineData("/count 0", "")]
    [InlineData("/json {\"a\": [1, 2]}", "{\"a\": [1, 2]}")]
    [InlineData("/think 0", "")]
    [InlineData("/think 0\n/echo awake", "awake")]
    [InlineData("/echo one\n/count 2\r\n/echo three", "one\n1 2\nthree")]
    [InlineData("Ada L.: /echo hi", "hi")]
    [InlineData("@ada @bob-builder /echo hi", "hi")]
    [InlineData("Ada L.: @bob\n/echo hi", "hi")]
    [InlineData("Ada L.: @bob /echo hi", "hi")]
    [InlineData("Hello there\n/echo hi", "hi")]
    [InlineData("/history", "messages: 1\nstable_preamble\nmessage_overlay")]
    public async Task A_directive_answers(string message, string answer) => (await AskAsync(message)).Text.ShouldBe(answer);

    [Theory]
    [InlineData("Hello")]
    [InlineData("Ada: hello")]
    [InlineData("/count many")]
    [InlineData("/unknown")]
    [InlineData("say /echo hi")]
    [InlineData("@ada say /echo hi")]
    [InlineData("@ada")]
    [InlineData("@")]
    public async Task Anything_else_is_answered_with_an_introduction(string message)
    {
        var text = (await AskAsync(message)).Text;
        text.ShouldContain("not a language model");
        text.ShouldContain("API key");
    }

    [Fact]
    public async Task What_other_agents_said_is_not_the_question()
    {
        List<ChatMessage> messages = [new(ChatRole.User, "Eve: @ada @bob\n/echo hi"), new(ChatRole.User, "Ada: hi") { AuthorName = "Ada" }];
        (await model.GetResponseAsync(messages, cancellationToken: TestContext.Current.CancellationToken)).Text.ShouldBe("hi");
    }

    [Fact]
    public async Task Several_tool_lines_are_parallel_calls_with_the_text_as_written()
    {
        var response = await AskAsync("/tool get_weather {\"city\": \"Oslo\"}\n/tool now\n/tool broken {oops");
        response.FinishReason.ShouldBe(ChatFinishReason.ToolCalls);
        var calls = response.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>().ToArray();
        calls.Select(call => (call.CallId, call.Name, ToolCallArguments.TextOf(call))).ShouldBe(
            [("call_1", "get_weather", "{\"city\": \"Oslo\"}"), ("call_2", "now", "{}"), ("call_3", "broken", "{oops")]);
    }

    [Fact]
    public async Task Results_are_told_one_line_each_as_compact_JSON_or_text()
    {
        List<ChatMessage> messages = [new(ChatRole.User, "/tool a {}\n/tool b {}")];
        var calls = await model.GetResponseAsync(messages, cancellationToken: TestContext.Current.CancellationToken);
        messages.AddRange(calls.Messages);
        messages.Add(new(ChatRole.Tool, [new FunctionResultContent("call_1", "{ \"celsius\" : 4, \"n\": \"°\" }"), new FunctionResultContent("call_2", "plain text")]));
        var response = await model.GetResponseAsync(messages, cancellationToken: TestContext.Current.CancellationToken);
        response.Text.ShouldBe("a returned: {\"celsius\":4,\"n\":\"°\"}\nb returned: plain text");
        messages.AddRange([.. response.Messages, new(ChatRole.User, "/tool a {}")]);
        (await model.GetResponseAsync(messages, cancellationToken: TestContext.Current.CancellationToken)).Messages[0].Contents.OfType<FunctionCallContent>().Single().CallId.ShouldBe("call_3");
    }

    [Fact]
    public async Task Knowledge_is_quoted_with_its_title_best_sentence_first()
    {
        var block = ReferenceBlock.Format([("Shipping", "We ship on Mondays. Parcels are brown."), ("Refund policy", "Refunds take 14 days. You need a receipt for refunds after 3 days. Ask us.")]);
        var text = (await AskAsync("How many days do refunds take?", PromptSection.Create(PromptSection.Knowledge, block))).Text;
        text.ShouldBe("Refunds take 14 days. [Refund policy]\nYou need a receipt for refunds after 3 days. [Refund policy]");
    }

    [Fact]
    public async Task Memories_that_match_are_recalled()
    {
        var memories = PromptSection.Create(PromptSection.Memories, "Known about the user:\n- Ada likes green tea\n- Ada lives in Oslo");
        (await AskAsync("Which tea do I like?", memories)).Text.ShouldBe("Ada likes green tea");
    }

    [Theory]
    [InlineData("/fail 503", ModelErrors.Unavailable, 503)]
    [InlineData("/fail 429", ModelErrors.RateLimited, 429)]
    [InlineData("/fail 401", ModelErrors.AuthFailed, 401)]
    [InlineData("/echo never\n/fail 400", ModelErrors.Error, 400)]
    public async Task Fail_fails_like_a_provider(string message, string code, int status)
    {
        var fault = await Should.ThrowAsync<ModelException>(AskAsync(message));
        (fault.Code, fault.Status).ShouldBe((code, status));
    }

    [Fact]
    public async Task Fail_passes_through_the_retries()
    {
        var retrying = new RetryingChatClient(model, time, () => 0);
        var asking = retrying.GetResponseAsync([new ChatMessage(ChatRole.User, "/fail 500")], cancellationToken: TestContext.Current.CancellationToken);
        foreach (var seconds in new[] { 1, 2 })
        {
            await time.ArmedAsync(TimeSpan.FromSeconds(seconds));
            time.Advance(TimeSpan.FromSeconds(seconds));
        }
        (await Should.ThrowAsync<ModelException>(asking)).Status.ShouldBe(500);
    }

    [Fact]
    public async Task Count_streams_one_token_each_and_waits_between_them()
    {
        var tokens = new List<string>();
        await using var updates = model.GetStreamingResponseAsync([new(ChatRole.User, "/count 3 50")], null, TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        while (tokens.Count < 3)
        {
            var next = updates.MoveNextAsync().AsTask();
            if (!next.IsCompleted)
            {
                await time.ArmedAsync(TimeSpan.FromMilliseconds(50));
                time.Advance(TimeSpan.FromMilliseconds(50));
            }
            (await next).ShouldBeTrue();
            tokens.Add(updates.Current.Text);
        }
        tokens.ShouldBe(["1", " 2", " 3"]);
        time.GetUtcNow().Millisecond.ShouldBe(100);
    }

    [Fact]
    public async Task Think_waits_before_the_first_token()
    {
        var asking = AskAsync("/think 700\n/echo done");
        await time.ArmedAsync(TimeSpan.FromMilliseconds(700));
        asking.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromMilliseconds(700));
        (await asking).Text.ShouldBe("done");
    }

    [Fact]
    public async Task Usage_is_counted_in_words()
    {
        var usage = (await AskAsync("/echo one two three")).Usage!;
        (usage.InputTokenCount, usage.OutputTokenCount).ShouldBe((8, 3));
    }

    [Fact]
    public async Task The_output_limit_holds()
    {
        var response = await model.GetResponseAsync([new(ChatRole.User, "/count 100000")], new() { MaxOutputTokens = 5 }, TestContext.Current.CancellationToken);
        (response.Text, response.FinishReason).ShouldBe(("1 2 3 4 5", ChatFinishReason.Length));
    }

    private Task<ChatResponse> AskAsync(string message, params TextContent[] sections) => model.GetResponseAsync(
        [
            new(ChatRole.System, [PromptSection.Create(PromptSection.StablePreamble, "You help."), PromptSection.Create(PromptSection.MessageOverlay, "Politely, please."), .. sections]),
            new(ChatRole.User, message),
        ], cancellationToken: TestContext.Current.CancellationToken);
}
