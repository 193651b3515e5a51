using System.Buffers;
using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Streams;

namespace Flapjack.Server.OpenAICompat.Responses;

/// <summary>The events of a turn as those of the Responses API. What the server does between texts is told in comments.</summary>
internal sealed class ResponseEvents(LiveTurn live, ResponseForm form) : IEventTranslation
{
    private readonly AnswerSoFar _answer = new(live);
    private int _sequence;
    private bool _hasMessage;

    public void Write(string type, ReadOnlyMemory<byte> data, IBufferWriter<byte> output)
    {
        var text = _answer.Take(type, data);
        switch (type)
        {
            case "meta":
                SendResponse(output, "response.created", ended: false);
                SendResponse(output, "response.in_progress", ended: false);
                break;
            case "token":
                if (text is not null) SendDelta(output, text);
                break;
            case "requires_action" or "done" or "error":
                End(output);
                break;
            default:
                EventText.Comment(output, type, data);
                break;
        }
    }

    private void End(IBufferWriter<byte> output)
    {
        var response = form.Of(_answer, ended: true);
        if (ResponseForm.HasMessage(_answer)) EndMessage(output, response.Output[0]);
        for (var i = 0; i < _answer.Calls.Count; i++) SendCall(output, i, (_hasMessage ? 1 : 0) + i);
        SendResponse(output, $"response.{response.Status}", ended: true);
    }

    private void SendDelta(IBufferWriter<byte> output, string delta)
    {
        BeginMessage(output);
        SendText(output, "response.output_text.delta", json =>
        {
            json.WriteString("delta", delta);
            json.WriteStartArray("logprobs");
            json.WriteEndArray();
        });
    }

    private void BeginMessage(IBufferWriter<byte> output)
    {
        if (_hasMessage) return;
        _hasMessage = true;
        SendItem(output, "response.output_item.added", 0, ResponseForm.MessageOf(_answer, "in_progress"));
        SendText(output, "response.content_part.added", json => WriteValue(json, "part", new ResponsePart("")));
    }

    private void EndMessage(IBufferWriter<byte> output, ResponseItem message)
    {
        BeginMessage(output);
        SendText(output, "response.output_text.done", json =>
        {
            json.WriteString("text", _answer.Text);
            json.WriteStartArray("logprobs");
            json.WriteEndArray();
        });
        SendText(output, "response.content_part.done", json => WriteValue(json, "part", message.Content![0]));
        SendItem(output, "response.output_item.done", 0, message);
    }

    // Calls come whole: the engine knows them when the model has finished its step.
    private void SendCall(IBufferWriter<byte> output, int index, int place)
    {
        var call = ResponseForm.CallOf(_answer, index, "completed");
        SendItem(output, "response.output_item.added", place, ResponseForm.CallOf(_answer, index, "in_progress", arguments: ""));
        SendArguments("response.function_call_arguments.delta", "delta");
        SendArguments("response.function_call_arguments.done", "arguments");
        SendItem(output, "response.output_item.done", place, call);

        void SendArguments(string type, string name) => Send(output, type, json =>
        {
            json.WriteString("item_id", call.Id);
            json.WriteNumber("output_index", place);
            if (name == "arguments") json.WriteString("name", call.Name);
            json.WriteString(name, call.Arguments);
        });
    }

    private void SendText(IBufferWriter<byte> output, string type, Action<Utf8JsonWriter> write) => Send(output, type, json =>
    {
        json.WriteString("item_id", ResponseForm.MessageOf(_answer, "").Id);
        json.WriteNumber("output_index", 0);
        json.WriteNumber("content_index", 0);
        write(json);
    });

    private void SendItem(IBufferWriter<byte> output, string type, int place, ResponseItem item) => Send(output, type, json =>
    {
        json.WriteNumber("output_index", place);
        WriteValue(json, "item", item);
    });

    private void SendResponse(IBufferWriter<byte> output, string type, bool ended) => Send(output, type, json => WriteValue(json, "response", form.Of(_answer, ended)));

    private void Send(IBufferWriter<byte> output, string type, Action<Utf8JsonWriter> write) => EventText.Write(output, type, json =>
    {
        json.WriteStartObject();
        json.WriteString("type", type);
        json.WriteNumber("sequence_number", _sequence++);
        write(json);
        json.WriteEndObject();
    });

    private static void WriteValue<T>(Utf8JsonWriter json, string name, T value)
    {
        json.WritePropertyName(name);
        JsonSerializer.Serialize(json, value, WireJson.Responses);
    }
}
