using Flapjack.Runtime.Prompts;
using Flapjack.Testing;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Tests;

/// <summary>Messages of a history are written once and copied afterwards; nobody upstream may see a difference.</summary>
public sealed class HistoryTests : ProviderTest
{
    private static readonly (ChatRole Role, string Text)[] Texts =
        [(ChatRole.User, "Hello \"you\" \n 🥞 <b>"), (ChatRole.Assistant, "Hi.\u2028"), (ChatRole.User, "Again \\u0041")];

    [Theory, MemberData(nameof(EachProtocol))]
    public async Task A_history_is_sent_like_any_other_messages_the_first_and_every_later_time(Protocol protocol)
    {
        Upstream.OtherwiseReply(Script.Text("ok"));
        await ReadAsync(Client(protocol), Texts.Select(text => new ChatMessage(text.Role, text.Text)));
        var plain = Upstream.LastRequest.Body.GetRawText();

        var history = Texts.Select(text => new HistoryMessage(text.Role, text.Text)).ToList();
        for (var round = 0; round < 2; round++)
        {
            await ReadAsync(Client(protocol), history);
            Upstream.LastRequest.Body.GetRawText().ShouldBe(plain);
        }
    }

    [Fact]
    public async Task A_history_that_goes_to_another_protocol_is_written_in_its_format()
    {
        Upstream.OtherwiseReply(Script.Text("ok"));
        var history = Texts.Select(text => new HistoryMessage(text.Role, text.Text)).ToList();
        await ReadAsync(Client(Protocol.ChatCompletions), history);
        await ReadAsync(Client(Protocol.Responses), history);
        Upstream.LastRequest.Body.GetProperty("input")[0].GetProperty("content")[0].GetProperty("type").GetString().ShouldBe("input_text");
    }
}
