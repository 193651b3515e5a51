using Flapjack.Runtime.Models;
using Flapjack.Testing;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Tests;

/// <summary>How every protocol fails.</summary>
public sealed class FaultTests : ProviderTest
{
    protected override ProviderOptions Options => new() { MaxEventBytes = 64 * 1024, MaxAnswerBytes = 128 * 1024 };

    public static TheoryData<Protocol, int, string> Statuses
    {
        get
        {
            var rows = new TheoryData<Protocol, int, string>();
            foreach (var protocol in new[] { Protocol.Responses, Protocol.ChatCompletions, Protocol.Messages })
            {
                foreach (var (status, code) in new[]
                {
                    (400, ModelErrors.Error), (401, ModelErrors.AuthFailed), (403, ModelErrors.AuthFailed), (404, ModelErrors.Error), (408, ModelErrors.Unavailable),
                    (409, ModelErrors.Unavailable), (422, ModelErrors.Error), (429, ModelErrors.RateLimited), (500, ModelErrors.Unavailable), (503, ModelErrors.Unavailable),
                    (529, ModelErrors.Unavailable), (302, ModelErrors.Error),
                })
                {
                    rows.Add(protocol, status, code);
                }
            }
            return rows;
        }
    }

    [Theory, MemberData(nameof(Statuses))]
    public async Task A_status_becomes_its_code(Protocol protocol, int status, string code)
    {
        Upstream.Reply(Script.Status(status, "<html>upstream.internal said no</html>"));
        var (_, fault) = await ReadFaultAsync(Client(protocol));
        fault.Code.ShouldBe(code);
        fault.Status.ShouldBe(status);
        fault.Message.ShouldNotContain("upstream.internal");
    }

    [Theory]
    [InlineData(Protocol.Responses, 400, """{"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error","code":"context_length_exceeded"}}""", ModelErrors.ContextTooLong)]
    [InlineData(Protocol.Messages, 400, """{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}""", ModelErrors.ContextTooLong)]
    [InlineData(Protocol.Messages, 413, """{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}""", ModelErrors.ContextTooLong)]
    [InlineData(Protocol.ChatCompletions, 400, """{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens","type":"BadRequestError","code":400}""", ModelErrors.ContextTooLong)]
    [InlineData(Protocol.ChatCompletions, 400, """{"error":"input length exceeds the context length"}""", ModelErrors.ContextTooLong)]
    [InlineData(Protocol.ChatCompletions, 400, """{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}""", ModelErrors.ContextTooLong)]
    [InlineData(Protocol.ChatCompletions, 400, """{"error":{"code":"content_filter","message":"The response was filtered due to the content management policy."}}""", ModelErrors.ContentFiltered)]
    [InlineData(Protocol.Messages, 400, """{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}""", ModelErrors.ContentFiltered)]
    [InlineData(Protocol.Responses, 429, """{"error":{"message":"Request too large for the context length","code":"rate_limit_exceeded"}}""", ModelErrors.RateLimited)]
    public async Task A_refusal_is_judged_by_its_words(Protocol protocol, int status, string body, string code)
    {
        Upstream.Reply(Script.Status(status, body));
        (await ReadFaultAsync(Client(protocol))).Fault.Code.ShouldBe(code);
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task A_stream_that_ends_before_its_marker_is_unavailable(Protocol protocol)
    {
        Upstream.Reply(Script.Text("a", "b", "c").CutAfter(2), Script.Text("a", "b").CutAfter(0), Script.Text("a", "b").CutAfter(2), Script.Text("a", "b").AbortAfter(1));
        foreach (var text in new[] { "ab", "", "ab", null })
        {
            var (seen, fault) = await ReadFaultAsync(Client(protocol));
            fault.Code.ShouldBe(ModelErrors.Unavailable);
            seen.ShouldBe(text ?? seen);
        }
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task A_cut_within_tool_arguments_yields_no_call(Protocol protocol)
    {
        Upstream.Reply(Script.ToolCalls(new ScriptedCall("call_1", "pay", """{"amount":100}""")).After("Paying.").CutAfter(1));
        var contents = new List<AIContent>();
        var fault = await Should.ThrowAsync<ModelException>(async () =>
        {
            await foreach (var update in Client(protocol).GetStreamingResponseAsync(Hello, null, TestContext.Current.CancellationToken))
            {
                contents.AddRange(update.Contents);
            }
        });
        fault.Code.ShouldBe(ModelErrors.Unavailable);
        contents.OfType<FunctionCallContent>().ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Broken_JSON_and_web_pages_are_malformed(Protocol protocol)
    {
        Upstream.Reply(Script.Text("a", "b").MalformedAfter(1), Script.NoEventStream());
        var (text, fault) = await ReadFaultAsync(Client(protocol));
        (text, fault.Code).ShouldBe(("a", ModelErrors.Error));
        (await ReadFaultAsync(Client(protocol))).Fault.Code.ShouldBe(ModelErrors.Error);
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task Silence_ends_the_call_as_unavailable(Protocol protocol)
    {
        foreach (var script in new[] { Script.Silence(), Script.Text("a", "b").SilentAfter(1) })
        {
            Upstream.Reply(script);
            var reading = ReadFaultAsync(Client(protocol));
            while (!reading.IsCompleted)
            {
                await Task.WhenAny(Time.ArmedAsync(TimeSpan.FromSeconds(120)), reading);
                Time.Advance(TimeSpan.FromSeconds(120));
            }
            (await reading).Fault.Code.ShouldBe(ModelErrors.Unavailable);
        }
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task An_open_socket_is_not_waited_for_after_the_marker(Protocol protocol)
    {
        Upstream.Reply(Script.Text("a").LeaveOpenAfterMarker());
        var reading = ReadAsync(Client(protocol));
        if (protocol == Protocol.ChatCompletions)
        {
            // Only here something may follow the marker: the usage, which is given one second.
            await Time.ArmedAsync(TimeSpan.FromSeconds(1));
            Time.Advance(TimeSpan.FromSeconds(1));
        }
        (await reading)[^1].FinishReason.ShouldBe(ChatFinishReason.Stop);
    }

    [Theory]
    [InlineData(Protocol.Messages, "overloaded_error", ModelErrors.Unavailable, 529)]
    [InlineData(Protocol.Messages, "rate_limit_error", ModelErrors.RateLimited, 429)]
    [InlineData(Protocol.Messages, "authentication_error", ModelErrors.AuthFailed, 401)]
    [InlineData(Protocol.Messages, "invalid_request_error", ModelErrors.Error, 400)]
    [InlineData(Protocol.Messages, "new_kind_of_error", ModelErrors.Error, null)]
    [InlineData(Protocol.Responses, "server_error", ModelErrors.Unavailable, 500)]
    [InlineData(Protocol.Responses, "rate_limit_exceeded", ModelErrors.RateLimited, 429)]
    [InlineData(Protocol.Responses, "context_length_exceeded", ModelErrors.ContextTooLong, 400)]
    [InlineData(Protocol.ChatCompletions, "server_error", ModelErrors.Unavailable, 500)]
    public async Task An_error_event_is_mapped_by_its_type(Protocol protocol, string type, string code, int? status)
    {
        Upstream.Reply(Script.Text("a", "b").ErrorAfter(1, type, "Something happened"));
        var (text, fault) = await ReadFaultAsync(Client(protocol));
        (text, fault.Code, fault.Status).ShouldBe(("a", code, status));
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task An_event_or_answer_beyond_the_limit_is_an_error(Protocol protocol)
    {
        Upstream.Reply(Script.Text(new string('x', 100_000)), Script.Text([.. Enumerable.Repeat(new string('y', 10_000), 20)]));
        (await ReadFaultAsync(Client(protocol))).Fault.Code.ShouldBe(ModelErrors.Error);
        (await ReadFaultAsync(Client(protocol))).Fault.Code.ShouldBe(ModelErrors.Error);
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task An_address_nobody_listens_at_is_unavailable(Protocol protocol)
    {
        var endpoint = Endpoint(protocol) with { BaseUrl = new("http://127.0.0.1:1/v1") };
        var (_, fault) = await ReadFaultAsync(Clients.For(endpoint));
        fault.Code.ShouldBe(ModelErrors.Unavailable);
        fault.Message.ShouldNotContain("127.0.0.1");
    }

    [Theory]
    [InlineData(Protocol.Responses)]
    [InlineData(Protocol.Messages)]
    public async Task Without_a_key_nothing_is_called(Protocol protocol)
    {
        var (_, fault) = await ReadFaultAsync(Clients.For(Endpoint(protocol) with { ApiKey = null }));
        fault.Code.ShouldBe(ModelErrors.AuthFailed);
        Upstream.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_compatible_server_needs_no_key()
    {
        await ReadAsync(Clients.For(Endpoint(Protocol.ChatCompletions) with { ApiKey = null }));
        Upstream.LastRequest.Headers.ContainsKey("Authorization").ShouldBeFalse();
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("Wed, 01 Apr 2026 12:00:20 GMT", 20)]
    [InlineData("Wed, 01 Apr 2026 11:00:00 GMT", 0)]
    public async Task Retry_After_is_seconds_or_a_date(string value, int seconds)
    {
        Upstream.Reply(Script.Status(429).WithHeader("Retry-After", value));
        (await ReadFaultAsync(Client(Protocol.Responses))).Fault.RetryAfter.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task A_providers_message_is_shortened_and_cleaned(Protocol protocol)
    {
        var message = "Unsupported value: 'tools' at https://host.internal/x?y=1 with sk-test-0123456789 and sk-proj-abcdef123456,\\n Bearer abc.def 127.0.0.1:8080 " + string.Concat(Enumerable.Repeat("word ", 200));
        Upstream.Reply(Script.Status(400, $$$"""{"error":{"message":"{{{message}}}","type":"invalid_request_error"}}"""));
        var detail = (await ReadFaultAsync(Client(protocol))).Fault.Message;
        detail.ShouldContain("Unsupported value: 'tools'");
        detail.Length.ShouldBeLessThan(360);
        foreach (var secret in new[] { "host.internal", "sk-test", "sk-proj", "abc.def", "127.0.0.1", "\n" })
        {
            detail.ShouldNotContain(secret);
        }
    }
}
