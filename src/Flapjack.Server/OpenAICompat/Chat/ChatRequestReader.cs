using System.Text.Json;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.OpenAICompat.Chat;

/// <summary>Checks a request of Chat Completions.</summary>
internal static class ChatRequestReader
{
    /// <param name="request">The body.</param>
    /// <param name="thread">The header that names a thread; it wins over <c>metadata.thread_id</c>.</param>
    public static CompatRequest Read(ChatCompletionRequest request, string? thread)
    {
        var errors = new FieldErrors();
        errors.Required("model", request.Model.Value, 300);
        if (request.N.Value is not (null or 1)) errors.Add("n", "must be 1");
        var threadId = CompatFields.ThreadId(CompatTurns.ThreadHeader, thread, errors) ?? CompatFields.ThreadId("metadata.thread_id", ThreadOf(request.Metadata.Value), errors);
        var conversation = ConversationOf(request.Messages.Value, threadId is not null, errors);
        var options = OptionsOf(request, errors);
        errors.ThrowIfAny();
        return new()
        {
            Model = request.Model.Value!,
            Conversation = conversation,
            ThreadId = threadId,
            Options = options,
            BringsTools = request.Tools.IsSet,
            Stream = request.Stream.Value ?? false,
            HiddenFor = ExpiredThreads.Lifetime,
        };
    }

    private static string? ThreadOf(JsonElement? metadata) => metadata is { ValueKind: JsonValueKind.Object } values ? values.Text("thread_id") : null;

    private static TurnOptions OptionsOf(ChatCompletionRequest request, FieldErrors errors)
    {
        errors.Range("temperature", request.Temperature.Value, 0, 2);
        errors.Range("max_tokens", request.MaxTokens.Value, 1, int.MaxValue);
        errors.Range("max_completion_tokens", request.MaxCompletionTokens.Value, 1, int.MaxValue);
        errors.Text("user", request.User.Value, 255);
        errors.Object("metadata", request.Metadata.Value, FieldRules.MetadataBytes);
        return new()
        {
            SenderId = request.User.Value,
            Temperature = request.Temperature.Value,
            MaxOutputTokens = request.MaxCompletionTokens.Value ?? request.MaxTokens.Value,
            StopSequences = CompatFields.Stops(request.Stop.Value, errors),
            Format = FormatReader.Read("response_format", request.ResponseFormat.Value, "json_schema", errors),
            Tools = ToolsOf(request.Tools.Value, errors).WhenAllowed(request.ToolChoice.Value, errors),
            Metadata = request.Metadata.Value is { ValueKind: JsonValueKind.Object } metadata ? metadata : null,
        };
    }

    private static IReadOnlyList<ClientTool> ToolsOf(List<ChatToolRequest?>? tools, FieldErrors errors)
    {
        var list = new ClientToolList("tools", errors);
        for (var i = 0; i < tools?.Count; i++)
        {
            CompatFields.RequireFunction($"tools[{i}]", tools[i]?.Type.Value);
            var function = tools[i]!.Function.Value;
            list.Add($"tools[{i}].function", function?.Name.Value, function?.Description.Value, function?.Parameters.Value);
        }
        return list.Tools;
    }

    private static Conversation ConversationOf(List<ChatMessageRequest?>? messages, bool knownThread, FieldErrors errors)
    {
        var reader = new ConversationReader("messages", knownThread, errors);
        for (var i = 0; i < messages?.Count; i++) Take(reader, $"messages[{i}]", messages[i] ?? throw ApiException.BadRequest($"messages[{i}]: must be an object"), errors);
        return reader.Build();
    }

    private static void Take(ConversationReader reader, string field, ChatMessageRequest message, FieldErrors errors)
    {
        var (contentField, content) = ($"{field}.content", message.Content.Value);
        switch (message.Role.Value)
        {
            case "system" or "developer":
                reader.Instruct(field, ContentReader.Text(contentField, content, errors));
                break;
            case "user":
                reader.Ask(field, ContentReader.Read(contentField, content, errors), message.Name.Value);
                break;
            case "assistant":
                reader.Answer(field, ContentReader.Text(contentField, content, errors), [.. (message.ToolCalls.Value ?? []).Select((call, i) => CallOf($"{field}.tool_calls[{i}]", call))]);
                break;
            case "tool":
                reader.Result($"{field}.tool_call_id", message.ToolCallId.Value ?? "", ContentReader.Text(contentField, content, errors));
                break;
            default:
                errors.Add($"{field}.role", "must be one of system, developer, user, assistant, tool");
                break;
        }
    }

    private static TurnCall CallOf(string field, ChatToolCallRequest? call)
    {
        if (call?.Type.Value is { } type) CompatFields.RequireFunction(field, type);
        var function = call?.Function.Value;
        return new(call?.Id.Value ?? "", function?.Name.Value ?? "", function?.Arguments.Value ?? "{}", true);
    }
}
