using System.Text;
using System.Text.Json;
using Flapjack.Providers.Wire;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Anthropic;

/// <summary>Reads events of the Messages API. End marker: <c>message_stop</c>.</summary>
internal sealed class MessagesReader(ModelEndpoint endpoint) : AnswerReader(endpoint)
{
    private readonly Dictionary<int, Block> blocks = [];
    private long input;
    private long output;
    private long cacheRead;
    private long cacheWrite;
    private ModelUsage compacting;
    private CompactionContent? compaction;

    public override ChatResponseUpdate? Read(string eventType, ReadOnlySpan<byte> data)
    {
        if (eventType is "message")
        {
            eventType = WireJson.TopString(data, "type"u8) ?? throw new JsonException("An event has no type.");
        }
        switch (eventType)
        {
            case "content_block_delta":
                return Delta(data);
            case "content_block_start":
                return Start(WireJson.Parse(data));
            case "content_block_stop":
                return Stop((int)(WireJson.Parse(data).Number("index") ?? 0));
            case "message_start":
                CountUsage(WireJson.Parse(data).Child("message").Child("usage"));
                return null;
            case "message_delta":
                var delta = WireJson.Parse(data);
                CountUsage(delta.Child("usage"));
                FinishReason = ReasonOf(delta.Child("delta").Text("stop_reason"));
                return null;
            case "message_stop":
                Ended = Complete = true;
                Usage = new ModelUsage(input + cacheRead + cacheWrite, output, cacheRead, cacheWrite) + compacting;
                return null;
            case "error":
                throw ModelFaults.OfEvent(data, Endpoint);
            default:
                return null;
        }
    }

    /// <summary>The hot path: one pass over the event, no document.</summary>
    private ChatResponseUpdate? Delta(ReadOnlySpan<byte> data)
    {
        var index = 0;
        string? text = null, thought = null, arguments = null, signature = null, summary = null;
        var json = new Utf8JsonReader(data);
        WireJson.Begin(ref json);
        while (json.Read())
        {
            if (json.TokenType != JsonTokenType.PropertyName)
            {
                // Ends of the two objects.
                continue;
            }
            if (json.ValueTextEquals("delta"u8))
            {
                json.Read();
            }
            else if (json.ValueTextEquals("text"u8))
            {
                text = Next(ref json);
            }
            else if (json.ValueTextEquals("partial_json"u8))
            {
                arguments = Next(ref json);
            }
            else if (json.ValueTextEquals("thinking"u8))
            {
                thought = Next(ref json);
            }
            else if (json.ValueTextEquals("signature"u8))
            {
                signature = Next(ref json);
            }
            else if (json.ValueTextEquals("content"u8))
            {
                summary = Next(ref json);
            }
            else if (json.ValueTextEquals("encrypted_content"u8))
            {
                signature = Next(ref json);
            }
            else if (json.ValueTextEquals("index"u8))
            {
                json.Read();
                index = json.GetInt32();
            }
            else
            {
                json.Read();
                json.Skip();
            }
        }
        if (text is not null)
        {
            return Text(text);
        }
        if (blocks.TryGetValue(index, out var block))
        {
            block.Body.Append(arguments ?? thought ?? summary);
            block.Signature += signature;
        }
        return null;
    }

    private static string? Next(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType is JsonTokenType.String or JsonTokenType.Null)
        {
            return json.GetString();
        }
        json.Skip();
        return null;
    }

    private ChatResponseUpdate? Start(JsonElement start)
    {
        var content = start.Child("content_block");
        var index = (int)(start.Number("index") ?? 0);
        switch (content.Text("type"))
        {
            case "text":
                return Text(content.Text("text"));
            case "tool_use":
                blocks[index] = new Block(
                    content.Text("id") ?? throw new JsonException("A call has no id."),
                    content.Text("name") ?? throw new JsonException("A call has no name."))
                {
                    Input = content.Child("input") is { ValueKind: JsonValueKind.Object } whole && whole.EnumerateObject().Any() ? whole.GetRawText() : "",
                };
                return null;
            case "thinking":
                blocks[index] = new Block(null, null) { Signature = content.Text("signature") ?? "" };
                blocks[index].Body.Append(content.Text("thinking"));
                return null;
            case "compaction":
                blocks[index] = new Block(null, null) { IsCompaction = true, Signature = content.Text("encrypted_content") ?? "" };
                blocks[index].Body.Append(content.Text("content"));
                return null;
            case "redacted_thinking":
                return Content(Thinking.RedactedBlock(content.Text("data") ?? ""));
            default:
                return null;
        }
    }

    private ChatResponseUpdate? Stop(int index)
    {
        if (!blocks.Remove(index, out var block))
        {
            return null;
        }
        if (block.IsCompaction)
        {
            // Without content the API could not summarise; the conversation goes on as it is.
            compaction = block.Body.Length == 0 ? null : new(block.Body.ToString(), block.Signature.Length > 0 ? block.Signature : null, 0, 0);
            return null;
        }
        if (block.CallId is null)
        {
            return Content(Thinking.Block(block.Body.ToString(), block.Signature));
        }
        // Some compatible servers send the whole input with the start and no deltas.
        return Content(ToolCallArguments.Create(block.CallId, block.Name!, block.Body.Length > 0 ? block.Body.ToString() : block.Input));
    }

    // Counts are cumulative; the last message_delta may repeat or correct those of message_start.
    private void CountUsage(JsonElement usage)
    {
        if (usage.ValueKind != JsonValueKind.Object)
        {
            return;
        }
        UsageSeen = true;
        input = Math.Max(input, usage.Number("input_tokens") ?? 0);
        output = Math.Max(output, usage.Number("output_tokens") ?? 0);
        cacheRead = Math.Max(cacheRead, usage.Number("cache_read_input_tokens") ?? 0);
        cacheWrite = Math.Max(cacheWrite, usage.Number("cache_creation_input_tokens") ?? 0);
        CountCompaction(usage.Child("iterations"));
    }

    // The calls that made a summary are told apart from the others, and are not part of the counts above.
    private void CountCompaction(JsonElement iterations)
    {
        if (iterations.ValueKind != JsonValueKind.Array)
        {
            return;
        }
        compacting = default;
        foreach (var iteration in iterations.EnumerateArray())
        {
            if (iteration.Text("type") != "compaction")
            {
                continue;
            }
            var (read, write) = (iteration.Number("cache_read_input_tokens") ?? 0, iteration.Number("cache_creation_input_tokens") ?? 0);
            compacting += new ModelUsage((iteration.Number("input_tokens") ?? 0) + read + write, iteration.Number("output_tokens") ?? 0, read, write);
        }
    }

    /// <summary>A summary is told of when its tokens are known, which is at the end.</summary>
    public override ChatResponseUpdate Finish()
    {
        var last = base.Finish();
        if (compaction is not null)
        {
            var left = input + cacheRead + cacheWrite;
            last.Contents.Insert(0, new CompactionContent(compaction.Text, compaction.Data, compacting.InputTokens, left > 0 ? left : compacting.OutputTokens));
        }
        return last;
    }

    private ChatFinishReason ReasonOf(string? reason) => reason switch
    {
        "max_tokens" or "model_context_window_exceeded" => ChatFinishReason.Length,
        "tool_use" => ChatFinishReason.ToolCalls,
        "refusal" => ChatFinishReason.ContentFilter,
        "compaction" => CompactionContent.Paused,
        null => FinishReason,
        _ => ChatFinishReason.Stop,
    };

    private sealed class Block(string? callId, string? name)
    {
        public string? CallId => callId;
        public string? Name => name;
        public StringBuilder Body { get; } = new();
        public string Signature { get; set; } = "";
        public string Input { get; init; } = "";
        public bool IsCompaction { get; init; }
    }
}
