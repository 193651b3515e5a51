using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.OpenAICompat;

/// <summary>A checked request, the same for both protocols.</summary>
internal sealed record CompatRequest
{
    public required string Model { get; init; }
    public required Conversation Conversation { get; init; }

    /// <summary>The thread that knows the history; null = the request tells it.</summary>
    public required Guid? ThreadId { get; init; }

    /// <summary>The turn whose thread that is, for clients that know the answer's id instead.</summary>
    public Guid? PreviousTurnId { get; init; }

    /// <summary>What the turn is to be like; the model is still to be added.</summary>
    public required TurnOptions Options { get; init; }

    /// <summary>True when tools were sent: they replace those of a turn that waits.</summary>
    public required bool BringsTools { get; init; }

    public required bool Stream { get; init; }

    /// <summary>After so long without use a thread opened for the request goes; null = it is kept as any other.</summary>
    public required TimeSpan? HiddenFor { get; init; }

    public bool InThread => ThreadId is not null || PreviousTurnId is not null;

    /// <summary>The stream of its turn that answers it.</summary>
    public StreamPick Opens => StreamPick.OpenedBy((InThread ? Conversation.Tail() : Conversation.Whole().Tail).Answers is [var answer, ..] ? answer.CallId : null);

    public MessageDraft DraftOf(ConversationTail tail, string? model) => new()
    {
        Content = string.IsNullOrWhiteSpace(tail.Question?.Text) ? null : tail.Question.Text,
        Attachments = tail.Question?.Attachments ?? [],
        Results = tail.Answers,
        BringsTools = BringsTools,
        OnBusy = "reject",
        Stream = Stream,
        Options = Options with { Model = model, Overlay = Conversation.Instructions, SenderName = tail.Question?.SenderName },
    };
}

/// <summary>Checks that both protocols share.</summary>
internal static class CompatFields
{
    private const int MaxStops = 4;

    /// <summary>The tools a request offers; none when it forbids their use.</summary>
    public static IReadOnlyList<ClientTool> WhenAllowed(this IReadOnlyList<ClientTool> tools, JsonElement? choice, FieldErrors errors)
    {
        var text = choice is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;
        if (choice is { ValueKind: not JsonValueKind.Null } && text is null) errors.Add("tool_choice", "must be auto or none");
        errors.OneOf("tool_choice", text, "auto", "none");
        return text == "none" ? [] : tools;
    }

    /// <summary>Only functions run at the client; OpenAI's own hosted tools do not exist here.</summary>
    public static void RequireFunction(string field, string? type)
    {
        if (type != "function") throw ApiException.BadRequest($"{field}.type: only function tools are supported");
    }

    public static IReadOnlyList<string> Stops(JsonElement? stop, FieldErrors errors)
    {
        var stops = stop?.ValueKind switch
        {
            null or JsonValueKind.Null => [],
            JsonValueKind.String => [stop.Value.GetString()!],
            JsonValueKind.Array when stop.Value.EnumerateArray().All(s => s.ValueKind == JsonValueKind.String) => stop.Value.EnumerateArray().Select(s => s.GetString()!).ToList(),
            _ => throw ApiException.BadRequest("stop: must be a string or an array of strings"),
        };
        if (stops.Count > MaxStops) errors.Add("stop", $"has more than {MaxStops} texts");
        foreach (var text in stops) errors.Text("stop", text, 200, min: 0);
        return stops.Where(text => text.Length > 0).ToList();
    }

    public static Guid? ThreadId(string field, string? text, FieldErrors errors) => string.IsNullOrEmpty(text) ? null : errors.Id(field, text);
}
