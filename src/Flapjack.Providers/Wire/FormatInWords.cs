using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Wire;

/// <summary>Asks for the format of an answer in the prompt, where there is no field for it or the field was refused. Whether the answer has the format is checked by the caller in any case.</summary>
internal static class FormatInWords
{
    public const string OnlyJson = "Answer with one JSON value and nothing else: no explanation, no code fence.";

    public static ChatOptions Of(ChatOptions options, ChatResponseFormatJson format)
    {
        var asked = options.Clone();
        var words = format.Schema is { } schema ? $"{OnlyJson} It must be valid against this JSON Schema:\n{schema.GetRawText()}" : OnlyJson;
        asked.Instructions = string.IsNullOrEmpty(options.Instructions) ? words : $"{options.Instructions}\n\n{words}";
        asked.ResponseFormat = null;
        return asked;
    }
}
