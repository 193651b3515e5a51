using Flapjack.Runtime.Models;
using Flapjack.Testing;

namespace Flapjack.Providers.Tests;

public sealed class RetryAndFallbackTests : ProviderTest
{
    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Three_attempts_in_all_one_and_two_seconds_apart(Protocol protocol)
    {
        Upstream.Reply(Script.Status(529), Script.Text("x").CutAfter(0), Script.Text("third"));
        var reading = ReadAsync(Retrying(protocol));
        await WaitAsync(1);
        await WaitAsync(2);
        string.Concat((await reading).Select(update => update.Text)).ShouldBe("third");
        Upstream.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task The_third_failure_is_the_callers()
    {
        Upstream.OtherwiseReply(Script.Status(503));
        var reading = ReadFaultAsync(Retrying(Protocol.Responses));
        await WaitAsync(1);
        await WaitAsync(2);
        (await reading).Fault.Status.ShouldBe(503);
        Upstream.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Retry_After_is_kept_up_to_thirty_seconds()
    {
        Upstream.Reply(Script.Status(429).WithHeader("Retry-After", "30"), Script.Text("ok"));
        var reading = ReadAsync(Retrying(Protocol.Responses));
        await WaitAsync(30);
        (await reading)[0].Text.ShouldBe("ok");
        Upstream.Reply(Script.Status(429).WithHeader("Retry-After", "31"));
        (await ReadFaultAsync(Retrying(Protocol.Responses))).Fault.Code.ShouldBe(ModelErrors.RateLimited);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(404)]
    public async Task A_refusal_is_not_repeated(int status)
    {
        Upstream.Reply(Script.Status(status));
        (await ReadFaultAsync(Retrying(Protocol.Responses))).Fault.Status.ShouldBe(status);
        Upstream.Requests.Count.ShouldBe(1);
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Nothing_is_repeated_once_text_was_seen(Protocol protocol)
    {
        Upstream.Reply(Script.Text("a", "b").CutAfter(1));
        var model = new FallbackChatClient("first", Retrying(protocol), [new("second", () => throw new InvalidOperationException("must not be opened"))]);
        var (text, fault) = await ReadFaultAsync(model);
        (text, fault.Code).ShouldBe(("a", ModelErrors.Unavailable));
        Upstream.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(404)]
    public async Task The_next_model_answers_after_a_refusal(int status)
    {
        Upstream.Reply(Script.Status(status), Script.Text("second"));
        var updates = await ReadAsync(new FallbackChatClient("gpt-5.4", Retrying(Protocol.Responses), [new("claude", () => Retrying(Protocol.Messages))]));
        var mark = updates[0].Contents.OfType<ModelFallbackContent>().Single();
        (mark.From, mark.To, mark.Status).ShouldBe(("gpt-5.4", "claude", status));
        updates[1].Text.ShouldBe("second");
        Upstream.LastRequest.Path.ShouldBe("/v1/messages");
    }

    [Fact]
    public async Task Unavailable_models_are_left_one_after_the_other_after_their_attempts()
    {
        Upstream.OtherwiseReply(Script.Status(529));
        var reading = ReadFaultAsync(new FallbackChatClient("a", Retrying(Protocol.Responses),
            [new("b", () => Retrying(Protocol.Messages)), new("c", () => Retrying(Protocol.ChatCompletions))]));
        for (var model = 0; model < 3; model++)
        {
            await WaitAsync(1);
            await WaitAsync(2);
        }
        (await reading).Fault.Code.ShouldBe(ModelErrors.Unavailable);
        Upstream.Requests.Select(request => request.Path).Distinct().ShouldBe(["/v1/responses", "/v1/messages", "/v1/chat/completions"]);
        Upstream.Requests.Count.ShouldBe(9);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(422)]
    public async Task Other_refusals_do_not_switch(int status)
    {
        Upstream.Reply(Script.Status(status));
        var model = new FallbackChatClient("a", Retrying(Protocol.Responses), [new("b", () => Retrying(Protocol.Messages))]);
        (await ReadFaultAsync(model)).Fault.Status.ShouldBe(status);
        Upstream.Requests.Count.ShouldBe(1);
    }

    private RetryingChatClient Retrying(Protocol protocol) => new(Client(protocol), Time, jitter: () => 0);

    private async Task WaitAsync(int seconds)
    {
        await Time.ArmedAsync(TimeSpan.FromSeconds(seconds));
        Time.Advance(TimeSpan.FromSeconds(seconds));
    }
}
