using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Models;

/// <summary>Keeps the argument text of a tool call exactly as the model wrote it: events carry that string, and it may be invalid JSON, which the turn loop answers with <c>INVALID_ARGUMENTS</c>.</summary>
public static class ToolCallArguments
{
    private const string Key = "flapjack.arguments";

    /// <summary>The text the model wrote; for calls made elsewhere the JSON form of <see cref="FunctionCallContent.Arguments"/>, <c>{}</c> when there are none.</summary>
    public static string TextOf(FunctionCallContent call)
    {
        if (call.AdditionalProperties?.TryGetValue(Key, out var text) == true && text is string written)
        {
            return written;
        }
        return call.Arguments is { Count: > 0 } arguments ? JsonSerializer.Serialize(arguments, AIJsonUtilities.DefaultOptions) : "{}";
    }

    /// <summary>A call with its text. <see cref="FunctionCallContent.Arguments"/> is null and <see cref="FunctionCallContent.Exception"/> set when the text is no JSON object; a model that writes nothing calls with <c>{}</c>.</summary>
    public static FunctionCallContent Create(string callId, string name, string argumentsText)
    {
        var text = string.IsNullOrWhiteSpace(argumentsText) ? "{}" : argumentsText;
        var call = new FunctionCallContent(callId, name) { AdditionalProperties = new() { [Key] = text } };
        try
        {
            using var document = JsonDocument.Parse(text);
            var arguments = new Dictionary<string, object?>(StringComparer.Ordinal);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                arguments[property.Name] = property.Value.Clone();
            }
            call.Arguments = arguments;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            call.Exception = fault;
        }
        return call;
    }
}
