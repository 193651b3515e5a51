using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.JsonRpc;
using Flapjack.Server.Threads.Attachments;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.A2A;

/// <summary>What <c>message/send</c> and <c>message/stream</c> bring, checked.</summary>
/// <param name="ContextId">The thread to go on with; null = a new one.</param>
/// <param name="TaskId">The task it belongs to.</param>
/// <param name="Draft">The message.</param>
/// <param name="Blocking">Whether the sender waits for the end.</param>
internal sealed record A2AMessage(Guid? ContextId, Guid? TaskId, MessageDraft Draft, bool Blocking)
{
    public static A2AMessage Parse(JsonElement parameters, bool stream)
    {
        var message = parameters.Object("message") ?? throw Invalid("message: is required");
        if (message.Text("role") is not ("user" or null)) throw Invalid("message.role: must be user");
        var (texts, files, errors) = (new List<string>(), new List<AttachmentDraft>(), new FieldErrors());
        if (!message.TryGetProperty("parts", out var parts) || parts.ValueKind != JsonValueKind.Array) throw Invalid("message.parts: is required");
        foreach (var (i, part) in parts.EnumerateArray().Index()) Read($"message.parts[{i}]", part, texts, files, errors);
        if (files.Count > AttachmentDraft.MaxAttachments) errors.Add("message.parts", $"has more than {AttachmentDraft.MaxAttachments} files");
        var text = string.Join("\n\n", texts.Where(text => text.Length > 0));
        if (string.IsNullOrWhiteSpace(text) && files.Count == 0) errors.Add("message.parts", "has neither text nor files");
        errors.Text("message.parts", text, MessageDraft.ContentLimit);
        if (text.Contains('\0', StringComparison.Ordinal)) errors.Add("message.parts", "must not contain the character U+0000");
        var metadata = message.Object("metadata");
        errors.Object("message.metadata", metadata, FieldRules.MetadataBytes);
        errors.ThrowIfAny();
        var draft = new MessageDraft
        {
            Content = string.IsNullOrWhiteSpace(text) ? null : text,
            Attachments = files,
            Results = [],
            BringsTools = false,
            OnBusy = "reject",
            Stream = stream,
            // A task belongs to nobody's connection: whoever lost theirs asks for it again.
            Options = new() { Source = TurnDoors.A2A, ContinueOnDisconnect = true, Metadata = metadata },
        };
        var waits = parameters.Object("configuration") is not { } configuration || !configuration.TryGetProperty("blocking", out var blocking) || blocking.ValueKind != JsonValueKind.False;
        return new(IdIn(message, "contextId", "message.contextId: there is no such context; leave it out to begin one"), IdIn(message, "taskId", null), draft, waits);
    }

    private static void Read(string field, JsonElement part, List<string> texts, List<AttachmentDraft> files, FieldErrors errors)
    {
        if (part.ValueKind != JsonValueKind.Object) throw Invalid($"{field}: must be an object");
        switch (part.Text("kind"))
        {
            case "text":
                texts.Add(part.Text("text") ?? throw Invalid($"{field}.text: is required"));
                break;
            case "data":
                texts.Add((part.Object("data") ?? throw Invalid($"{field}.data: must be an object")).GetRawText());
                break;
            case "file":
                files.Add(FileOf($"{field}.file", part.Object("file") ?? throw Invalid($"{field}.file: is required"), errors));
                break;
            default:
                throw new JsonRpcException(A2AErrors.ContentTypeNotSupported, $"{field}.kind: must be text, file or data");
        }
    }

    private static AttachmentDraft FileOf(string field, JsonElement file, FieldErrors errors)
    {
        var (name, type, address) = (file.Text("name"), file.Text("mimeType"), file.Text("uri"));
        errors.Text($"{field}.name", name, 200);
        errors.Text($"{field}.mimeType", type, 255);
        errors.Text($"{field}.uri", address, AttachmentDraft.UrlLimit, min: 1);
        byte[]? bytes = null;
        if (file.TryGetProperty("bytes", out var data) && (data.ValueKind != JsonValueKind.String || !data.TryGetBytesFromBase64(out bytes))) errors.Add($"{field}.bytes", "is not base64");
        if (address is null == bytes is null) errors.Add(field, "needs exactly one of bytes and uri");
        var kind = type?.StartsWith("image/", StringComparison.OrdinalIgnoreCase) == true ? AttachmentDraft.Image : AttachmentDraft.File;
        return new(field, kind, string.IsNullOrWhiteSpace(name) ? null : name, type, null, address is null ? bytes ?? [] : null, address) { SourceField = address is null ? $"{field}.bytes" : $"{field}.uri" };
    }

    // Ids are this server's; any other text names nothing here.
    private static Guid? IdIn(JsonElement message, string name, string? unknown) =>
        message.Text(name) is not { } text ? null : Guid.TryParseExact(text, "D", out var id) ? id : throw (unknown is null ? A2AErrors.NoTask() : Invalid(unknown));

    private static JsonRpcException Invalid(string detail) => new(JsonRpcErrors.InvalidParams, detail);
}

/// <summary>Codes of the protocol beside those of JSON-RPC.</summary>
internal static class A2AErrors
{
    public const int TaskNotFound = -32001, TaskNotCancelable = -32002, PushNotificationNotSupported = -32003, UnsupportedOperation = -32004, ContentTypeNotSupported = -32005, NoExtendedCard = -32007;

    public static JsonRpcException NoTask() => new(TaskNotFound, "Task not found");
}
