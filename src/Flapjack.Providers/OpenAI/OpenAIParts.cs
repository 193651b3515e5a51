using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Flapjack.Providers.Wire;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.OpenAI;

/// <summary>What both of OpenAI's protocols write alike.</summary>
internal static class OpenAIParts
{
    private static readonly FrozenSet<string> StrictKeywords =
        StrictSchema.Keywords("pattern", "format", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems");

    /// <summary>Name, description and parameters of a tool.</summary>
    public static void WriteFunction(Utf8JsonWriter json, AIFunctionDeclaration tool)
    {
        json.WriteString("name", tool.Name);
        if (!string.IsNullOrEmpty(tool.Description))
        {
            json.WriteString("description", tool.Description);
        }
        json.WriteElement("parameters", tool.JsonSchema);
    }

    /// <summary>The tool choice; nothing for the vendor's default, which is the model's own choice.</summary>
    public static void WriteToolChoice(Utf8JsonWriter json, ChatToolMode? mode, bool nested)
    {
        switch (mode)
        {
            case NoneChatToolMode:
                json.WriteString("tool_choice", "none");
                break;
            case RequiredChatToolMode { RequiredFunctionName: { } name }:
                json.WriteStartObject("tool_choice");
                json.WriteString("type", "function");
                if (nested)
                {
                    json.WriteStartObject("function");
                }
                json.WriteString("name", name);
                if (nested)
                {
                    json.WriteEndObject();
                }
                json.WriteEndObject();
                break;
            case RequiredChatToolMode:
                json.WriteString("tool_choice", "required");
                break;
        }
    }

    /// <summary>Content as a data URI.</summary>
    public static void WriteData(Utf8JsonWriter json, string name, DataContent data) => Base64Member.Write(json, name, $"data:{data.MediaType};base64,", data.Data.Span);

    /// <summary>Members of the response format as the Responses API has them.</summary>
    public static void WriteFormat(Utf8JsonWriter json, ChatResponseFormatJson format, ChatOptions options)
    {
        if (format.Schema is not { } schema)
        {
            json.WriteString("type", "json_object");
            return;
        }
        json.WriteString("type", "json_schema");
        WriteSchema(json, format, schema, options);
    }

    public static void WriteSchema(Utf8JsonWriter json, ChatResponseFormatJson format, JsonElement schema, ChatOptions options)
    {
        json.WriteString("name", format.SchemaName ?? "answer");
        if (format.SchemaDescription is { } description)
        {
            json.WriteString("description", description);
        }
        json.WriteElement("schema", schema);
        json.WriteBoolean("strict", StrictSchema.Holds(options, schema, StrictKeywords));
    }
}

/// <summary>An encrypted reasoning item, kept in <see cref="TextReasoningContent.ProtectedData"/> with its vendor's mark so that no other vendor is sent it.</summary>
internal readonly record struct ReasoningItem(string Id, string Encrypted)
{
    private const string Mark = "openai:";

    public string Protect() => $"{Mark}{Id}:{Encrypted}";

    public static bool TryParse(string data, [NotNullWhen(true)] out ReasoningItem item)
    {
        var end = data.StartsWith(Mark, StringComparison.Ordinal) ? data.IndexOf(':', Mark.Length) : -1;
        item = end < 0 ? default : new(data[Mark.Length..end], data[(end + 1)..]);
        return end >= 0;
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "reasoning");
        json.WriteString("id", Id);
        json.WriteStartArray("summary");
        json.WriteEndArray();
        json.WriteString("encrypted_content", Encrypted);
        json.WriteEndObject();
    }
}
