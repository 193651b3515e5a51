using System.Text.Json;

namespace Flapjack.Testing;

/// <summary>What a piece of a stream is, so that faults can be placed.</summary>
public enum FrameKind { Other, Content, Marker }

/// <summary>One event as it goes over the wire.</summary>
public readonly record struct Frame(string Text, FrameKind Kind = FrameKind.Other);

/// <summary>A model protocol: turns a script into its events.</summary>
public abstract class Wire
{
    public static Wire Responses { get; } = new ResponsesWire();
    public static Wire ChatCompletions { get; } = new ChatCompletionsWire();
    public static Wire Messages { get; } = new MessagesWire();

    /// <summary>The events of an answer without faults.</summary>
    public abstract IEnumerable<Frame> Frames(Script script);

    /// <summary>The protocol's own error event.</summary>
    public abstract Frame Error(string type, string message);

    /// <summary>An event that no client has to know.</summary>
    public abstract Frame Unknown { get; }

    protected static Frame Event(string type, object data, FrameKind kind = FrameKind.Other) => new($"event: {type}\ndata: {JsonSerializer.Serialize(data)}\n\n", kind);

    protected static Frame Data(object data, FrameKind kind = FrameKind.Other) => new($"data: {JsonSerializer.Serialize(data)}\n\n", kind);

    protected static IEnumerable<string> Parts(ScriptedCall call)
    {
        var size = Math.Max(1, (call.Arguments.Length + call.Parts - 1) / call.Parts);
        return call.Arguments.Chunk(size).Select(part => new string(part));
    }
}

internal sealed class ResponsesWire : Wire
{
    public override Frame Unknown => Event("response.hologram.delta", new { type = "response.hologram.delta", delta = "?" });

    public override IEnumerable<Frame> Frames(Script script)
    {
        yield return Event("response.created", new { type = "response.created", sequence_number = 0, response = new { id = "resp_1", model = "fake-2026-01-01", status = "in_progress" } });
        if (script.Thinking is { } thought)
        {
            yield return Event("response.output_item.done", new
            {
                type = "response.output_item.done",
                output_index = 0,
                item = new { id = "rs_1", type = "reasoning", summary = Array.Empty<object>(), encrypted_content = thought.Signature },
            }, FrameKind.Content);
        }
        foreach (var delta in script.Deltas)
        {
            yield return Event("response.output_text.delta", new { type = "response.output_text.delta", sequence_number = 1, item_id = "msg_1", output_index = 0, content_index = 0, delta, logprobs = Array.Empty<object>() }, FrameKind.Content);
        }
        foreach (var call in script.Calls)
        {
            yield return Event("response.output_item.added", new { type = "response.output_item.added", item = new { id = "fc_1", type = "function_call", call_id = call.Id, name = call.Name, arguments = "" } });
            foreach (var part in Parts(call))
            {
                yield return Event("response.function_call_arguments.delta", new { type = "response.function_call_arguments.delta", item_id = "fc_1", delta = part });
            }
            yield return Event("response.output_item.done", new { type = "response.output_item.done", item = new { id = "fc_1", type = "function_call", status = "completed", call_id = call.Id, name = call.Name, arguments = call.Arguments } }, FrameKind.Content);
        }
        var (type, status, reason) = script.End switch
        {
            ScriptedEnd.Length => ("response.incomplete", "incomplete", "max_output_tokens"),
            ScriptedEnd.Filtered => ("response.incomplete", "incomplete", "content_filter"),
            _ => ("response.completed", "completed", null),
        };
        var usage = script.Usage is { } used
            ? new { input_tokens = used.Input, input_tokens_details = new { cached_tokens = used.CacheRead }, output_tokens = used.Output, total_tokens = used.Input + used.Output }
            : null;
        yield return Event(type, new { type, response = new { id = "resp_1", model = "fake-2026-01-01", status, incomplete_details = reason is null ? null : new { reason }, usage } }, FrameKind.Marker);
    }

    public override Frame Error(string type, string message) =>
        Event("response.failed", new { type = "response.failed", response = new { id = "resp_1", status = "failed", error = new { code = type, message } } });
}

internal sealed class ChatCompletionsWire : Wire
{
    public override Frame Unknown => Data(new { @object = "hologram", choices = Array.Empty<object>() });

    public override IEnumerable<Frame> Frames(Script script)
    {
        yield return Chunk(new { role = "assistant", content = "" });
        foreach (var delta in script.Deltas)
        {
            yield return Chunk(new { content = delta }, null, FrameKind.Content);
        }
        for (var index = 0; index < script.Calls.Count; index++)
        {
            var call = script.Calls[index];
            yield return Chunk(new { tool_calls = new[] { new { index, id = call.Id, type = "function", function = new { name = call.Name, arguments = "" } } } });
            foreach (var part in Parts(call))
            {
                yield return Chunk(new { tool_calls = new[] { new { index, function = new { arguments = part } } } }, null, FrameKind.Content);
            }
        }
        var reason = script.End switch
        {
            ScriptedEnd.Length => "length",
            ScriptedEnd.Filtered => "content_filter",
            _ => script.Calls.Count > 0 ? "tool_calls" : "stop",
        };
        yield return Chunk(new { }, reason, FrameKind.Marker);
        if (script.Usage is { } used)
        {
            yield return Data(new
            {
                id = "chatcmpl-1",
                @object = "chat.completion.chunk",
                choices = Array.Empty<object>(),
                usage = new { prompt_tokens = used.Input, completion_tokens = used.Output, total_tokens = used.Input + used.Output, prompt_tokens_details = new { cached_tokens = used.CacheRead } },
            });
        }
        yield return new Frame("data: [DONE]\n\n");
    }

    public override Frame Error(string type, string message) => Data(new { error = new { type, message } });

    private static Frame Chunk(object delta, string? finish_reason = null, FrameKind kind = FrameKind.Other) =>
        Data(new { id = "chatcmpl-1", @object = "chat.completion.chunk", created = 1, model = "fake", choices = new[] { new { index = 0, delta, finish_reason } }, usage = (object?)null }, kind);
}

internal sealed class MessagesWire : Wire
{
    public override Frame Unknown => Event("ping", new { type = "ping" });

    public override IEnumerable<Frame> Frames(Script script)
    {
        var used = script.Usage ?? new(0, 0);
        yield return Event("message_start", new
        {
            type = "message_start",
            message = new
            {
                id = "msg_1",
                role = "assistant",
                model = "fake-20260101",
                content = Array.Empty<object>(),
                usage = new { input_tokens = used.Input - used.CacheRead - used.CacheWrite, cache_creation_input_tokens = used.CacheWrite, cache_read_input_tokens = used.CacheRead, output_tokens = 1 },
            },
        });
        var index = -1;
        if (script.Compaction is { } compaction)
        {
            yield return Start(++index, new { type = "compaction", content = (string?)null });
            yield return Delta(index, new { type = "compaction_delta", content = compaction.Text, encrypted_content = compaction.Data });
            yield return Stop(index);
        }
        if (script.Thinking is { } thought)
        {
            yield return Start(++index, new { type = "thinking", thinking = "", signature = "" });
            yield return Delta(index, new { type = "thinking_delta", thinking = thought.Text });
            yield return Delta(index, new { type = "signature_delta", signature = thought.Signature });
            yield return Stop(index);
        }
        if (script.Deltas.Count > 0)
        {
            yield return Start(++index, new { type = "text", text = "" });
            foreach (var text in script.Deltas)
            {
                yield return Delta(index, new { type = "text_delta", text }, FrameKind.Content);
            }
            yield return Stop(index);
        }
        foreach (var call in script.Calls)
        {
            yield return Start(++index, new { type = "tool_use", id = call.Id, name = call.Name, input = new { } });
            foreach (var part in Parts(call))
            {
                yield return Delta(index, new { type = "input_json_delta", partial_json = part });
            }
            yield return Stop(index) with { Kind = FrameKind.Content };
        }
        var reason = script.End switch
        {
            ScriptedEnd.Length => "max_tokens",
            ScriptedEnd.Filtered => "refusal",
            ScriptedEnd.Paused => "compaction",
            _ => script.Calls.Count > 0 ? "tool_use" : "end_turn",
        };
        object usage = script.Compaction is { Used: var compacting }
            ? new
            {
                output_tokens = used.Output,
                iterations = new[]
                {
                    new { type = "compaction", input_tokens = compacting.Input, output_tokens = compacting.Output },
                    new { type = "message", input_tokens = used.Input, output_tokens = used.Output },
                },
            }
            : new { output_tokens = used.Output };
        yield return Event("message_delta", new { type = "message_delta", delta = new { stop_reason = reason, stop_sequence = (string?)null }, usage });
        yield return Event("message_stop", new { type = "message_stop" }, FrameKind.Marker);
    }

    public override Frame Error(string type, string message) => Event("error", new { type = "error", error = new { type, message } });

    private static Frame Start(int index, object content_block) => Event("content_block_start", new { type = "content_block_start", index, content_block });

    private static Frame Delta(int index, object delta, FrameKind kind = FrameKind.Other) => Event("content_block_delta", new { type = "content_block_delta", index, delta }, kind);

    private static Frame Stop(int index) => Event("content_block_stop", new { type = "content_block_stop", index });
}
