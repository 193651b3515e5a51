using System.Text.Json;
using Flapjack.Providers.Wire;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.OpenAI;

/// <summary>Reads events of the Responses API. End markers: <c>response.completed</c> and <c>response.incomplete</c>.</summary>
internal sealed class ResponsesReader(ModelEndpoint endpoint) : AnswerReader(endpoint)
{
    public override ChatResponseUpdate? Read(string eventType, ReadOnlySpan<byte> data)
    {
        if (eventType is "message" && !data.SequenceEqual("[DONE]"u8))
        {
            eventType = WireJson.TopString(data, "type"u8) ?? throw new JsonException("An event has no type.");
        }
        switch (eventType)
        {
            case "response.output_text.delta":
                return Text(WireJson.TopString(data, "delta"u8));
            case "response.refusal.delta":
                FinishReason = ChatFinishReason.ContentFilter;
                return Text(WireJson.TopString(data, "delta"u8));
            case "response.output_item.done":
                return Item(WireJson.Parse(data).Child("item"));
            case "response.completed":
                End(WireJson.Parse(data).Child("response"));
                return null;
            case "response.incomplete":
                var response = WireJson.Parse(data).Child("response");
                FinishReason = response.Child("incomplete_details").Text("reason") == "content_filter" ? ChatFinishReason.ContentFilter : ChatFinishReason.Length;
                End(response);
                return null;
            case "response.failed" or "error":
                throw ModelFaults.OfEvent(data, Endpoint);
            default:
                return null;
        }
    }

    private ChatResponseUpdate? Item(JsonElement item)
    {
        switch (item.Text("type"))
        {
            case "function_call":
                if (FinishReason == ChatFinishReason.Stop)
                {
                    FinishReason = ChatFinishReason.ToolCalls;
                }
                return Content(ToolCallArguments.Create(
                    item.Text("call_id") ?? throw new JsonException("A call has no id."),
                    item.Text("name") ?? throw new JsonException("A call has no name."),
                    item.Text("arguments") ?? ""));
            case "reasoning" when item.Text("encrypted_content") is { } encrypted:
                return Content(new TextReasoningContent("") { ProtectedData = new ReasoningItem(item.Text("id") ?? "", encrypted).Protect() });
            default:
                return null;
        }
    }

    private void End(JsonElement response)
    {
        if (response.Child("usage") is { ValueKind: JsonValueKind.Object } usage)
        {
            UsageSeen = true;
            Usage = new(usage.Number("input_tokens") ?? 0, usage.Number("output_tokens") ?? 0, usage.Child("input_tokens_details").Number("cached_tokens") ?? 0);
        }
        Ended = Complete = true;
    }
}
