using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.OpenAICompat.Responses;

/// <summary>Reads the input of a response: a text, or items.</summary>
internal static class ResponseItems
{
    public static Conversation Read(CreateResponseRequest request, bool knownThread, FieldErrors errors)
    {
        var reader = new ConversationReader("input", knownThread, errors);
        reader.Instruct("instructions", request.Instructions.Value);
        switch (request.Input.Value)
        {
            case { ValueKind: JsonValueKind.String } text:
                reader.Ask("input", ContentReader.Read("input", text, errors), null);
                break;
            case { ValueKind: JsonValueKind.Array } items:
                foreach (var (i, item) in items.EnumerateArray().Index()) Take(reader, $"input[{i}]", item, errors);
                break;
            case { ValueKind: not JsonValueKind.Null }:
                throw ApiException.BadRequest("input: must be a string or an array of items");
        }
        return reader.Build();
    }

    private static void Take(ConversationReader reader, string field, JsonElement item, FieldErrors errors)
    {
        if (item.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest($"{field}: must be an object");
        switch (item.Text("type") ?? "message")
        {
            case "message":
                TakeMessage(reader, field, item, errors);
                break;
            case "function_call":
                reader.Call(field, new(item.Text("call_id") ?? "", item.Text("name") ?? "", item.Text("arguments") ?? "{}", true));
                break;
            case "function_call_output":
                reader.Result($"{field}.call_id", item.Text("call_id") ?? "", ContentReader.Text($"{field}.output", item.TryGetProperty("output", out var output) ? output : null, errors));
                break;
            case "reasoning":
                // A client that keeps its own history sends back whatever it got. This server keeps a turn's reasoning itself.
                break;
            default:
                errors.Add($"{field}.type", "must be one of message, function_call, function_call_output, reasoning");
                break;
        }
    }

    private static void TakeMessage(ConversationReader reader, string field, JsonElement item, FieldErrors errors)
    {
        var contentField = $"{field}.content";
        JsonElement? content = item.TryGetProperty("content", out var sent) ? sent : null;
        switch (item.Text("role"))
        {
            case "system" or "developer":
                reader.Instruct(field, ContentReader.Text(contentField, content, errors));
                break;
            case "user":
                reader.Ask(field, ContentReader.Read(contentField, content, errors), null);
                break;
            case "assistant":
                reader.Answer(field, ContentReader.Text(contentField, content, errors), []);
                break;
            default:
                errors.Add($"{field}.role", "must be one of system, developer, user, assistant");
                break;
        }
    }
}
