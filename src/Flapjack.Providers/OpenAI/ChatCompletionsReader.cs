using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flapjack.Providers.Wire;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.OpenAI;

/// <summary>Reads chunks of Chat Completions. End marker: a <c>finish_reason</c>; the usage follows it in a chunk of its own, or not at all.</summary>
internal sealed class ChatCompletionsReader(ModelEndpoint endpoint) : AnswerReader(endpoint)
{
    private readonly List<Call> calls = [];

    public override ChatResponseUpdate? Read(string eventType, ReadOnlySpan<byte> data)
    {
        if (data.SequenceEqual("[DONE]"u8))
        {
            Complete = Ended;
            return null;
        }
        string? text = null;
        var json = new Utf8JsonReader(data);
        WireJson.Begin(ref json);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("choices"u8))
            {
                json.Read();
                text = ReadChoices(ref json) ?? text;
            }
            else if (json.ValueTextEquals("usage"u8))
            {
                json.Read();
                ReadUsage(ref json);
            }
            else if (json.ValueTextEquals("error"u8))
            {
                json.Read();
                if (json.TokenType != JsonTokenType.Null)
                {
                    throw ModelFaults.OfEvent(data, Endpoint);
                }
            }
            else
            {
                json.Read();
                json.Skip();
            }
        }
        Complete |= Ended && UsageSeen;
        return Text(text);
    }

    public override ChatResponseUpdate Finish()
    {
        // Some servers end a step of calls with "stop".
        if (calls.Count > 0 && FinishReason == ChatFinishReason.Stop)
        {
            FinishReason = ChatFinishReason.ToolCalls;
        }
        var last = base.Finish();
        for (var i = 0; i < calls.Count; i++)
        {
            last.Contents.Insert(i, calls[i].Finished());
        }
        return last;
    }

    private string? ReadChoices(ref Utf8JsonReader json)
    {
        string? text = null;
        if (json.TokenType != JsonTokenType.StartArray)
        {
            json.Skip();
            return null;
        }
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("delta"u8))
                {
                    json.Read();
                    text = ReadDelta(ref json) ?? text;
                }
                else if (json.ValueTextEquals("finish_reason"u8))
                {
                    json.Read();
                    if (json.TokenType == JsonTokenType.String)
                    {
                        End(json.GetString()!);
                    }
                }
                else
                {
                    json.Read();
                    json.Skip();
                }
            }
        }
        return text;
    }

    private string? ReadDelta(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject)
        {
            json.Skip();
            return null;
        }
        string? text = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("content"u8))
            {
                json.Read();
                text = json.TokenType == JsonTokenType.String ? json.GetString() : text;
                json.Skip();
            }
            else if (json.ValueTextEquals("tool_calls"u8))
            {
                json.Read();
                AddCalls(JsonElement.ParseValue(ref json));
            }
            else
            {
                json.Read();
                json.Skip();
            }
        }
        return text;
    }

    private void AddCalls(JsonElement deltas)
    {
        if (deltas.ValueKind != JsonValueKind.Array)
        {
            return;
        }
        foreach (var delta in deltas.EnumerateArray())
        {
            var function = delta.Child("function");
            CallOf(delta).Add(delta.Text("id"), function.Text("name"), function.Text("arguments"));
        }
    }

    private Call CallOf(JsonElement delta)
    {
        var index = delta.Number("index");
        var id = delta.Text("id");
        // Some servers send whole calls that all have index 0 or none; another id then means another call.
        var call = calls.FindLast(known => known.Index == index && (string.IsNullOrEmpty(id) || known.Id is null || known.Id == id));
        if (call is null)
        {
            calls.Add(call = new Call(index));
        }
        return call;
    }

    private void ReadUsage(ref Utf8JsonReader json)
    {
        if (json.TokenType == JsonTokenType.Null)
        {
            return;
        }
        var usage = JsonElement.ParseValue(ref json);
        UsageSeen = true;
        Usage = new(usage.Number("prompt_tokens") ?? 0, usage.Number("completion_tokens") ?? 0, usage.Child("prompt_tokens_details").Number("cached_tokens") ?? 0);
    }

    private void End(string reason)
    {
        Ended = true;
        FinishReason = reason switch
        {
            "length" => ChatFinishReason.Length,
            "content_filter" => ChatFinishReason.ContentFilter,
            "tool_calls" or "function_call" => ChatFinishReason.ToolCalls,
            _ => ChatFinishReason.Stop,
        };
    }

    private sealed class Call(long? index)
    {
        private readonly StringBuilder arguments = new();
        private string name = "";

        public long? Index => index;
        public string? Id { get; private set; }

        public void Add(string? id, string? namePart, string? argumentsPart)
        {
            Id = string.IsNullOrEmpty(id) ? Id : id;
            name = string.IsNullOrEmpty(namePart) ? name : namePart;
            arguments.Append(argumentsPart);
        }

        public FunctionCallContent Finished() => ToolCallArguments.Create(Id ?? "call_" + RandomNumberGenerator.GetHexString(16, lowercase: true), name, arguments.ToString());
    }
}
