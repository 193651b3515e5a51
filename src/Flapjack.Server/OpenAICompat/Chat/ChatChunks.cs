using System.Buffers;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Streams;

namespace Flapjack.Server.OpenAICompat.Chat;

/// <summary>The events of a turn as chunks of Chat Completions. What the server does between texts is told in comments.</summary>
internal sealed class ChatChunks(LiveTurn live, string model, bool withUsage) : IEventTranslation
{
    private readonly AnswerSoFar _answer = new(live);
    private readonly string _id = ChatForm.IdOf(live);

    public void Write(string type, ReadOnlyMemory<byte> data, IBufferWriter<byte> output)
    {
        var text = _answer.Take(type, data);
        switch (type)
        {
            case "meta":
                Send(output, new() { Role = "assistant", Content = "" });
                break;
            case "token":
                if (text is not null) Send(output, new() { Content = text });
                break;
            case "requires_action":
                Send(output, new() { ToolCalls = [.. _answer.Calls.Select((call, i) => ChatForm.CallOf(i, call))] });
                End(output);
                break;
            case "done":
                End(output);
                break;
            case "error":
                EventText.Write(output, null, json => OpenAIErrorForm.WriteError(json, _answer.Failure!));
                break;
            default:
                EventText.Comment(output, type, data);
                break;
        }
    }

    private void End(IBufferWriter<byte> output)
    {
        Send(output, new(), ChatForm.FinishOf(_answer));
        if (withUsage) EventText.Write(output, new ChatChunk(_id, Created, model, [], ChatForm.UsageOf(_answer.Usage)));
        output.Write("data: [DONE]\n\n"u8);
    }

    private void Send(IBufferWriter<byte> output, ChatDelta delta, string? finishReason = null) => EventText.Write(output, new ChatChunk(_id, Created, model, [new(0, delta, finishReason)]));

    private long Created => UnixTime.Of(_answer.StartedAt);
}
