using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Streams;

namespace Flapjack.Server.OpenAICompat.Responses;

/// <summary>Gives answers in the form of the Responses API.</summary>
internal sealed class ResponseForm(CreateResponseRequest request) : IAnswerForm
{
    private static readonly JsonElement Nothing = JsonElement.Parse("{}"), PlainText = JsonElement.Parse("""{"type":"text"}""");

    public bool Streams => request.Stream.Value ?? false;

    public IEventTranslation Translate(LiveTurn live) => new ResponseEvents(live, this);

    public object Whole(AnswerSoFar answer) => Of(answer, ended: true);

    /// <summary>The response as it stands.</summary>
    public ResponseObject Of(AnswerSoFar answer, bool ended)
    {
        var status = StatusOf(answer, ended);
        return new()
        {
            Id = ResponseRequestReader.IdOf(answer.Live.TurnId),
            CreatedAt = UnixTime.Of(answer.StartedAt),
            Status = status,
            Error = answer.Failure is { } failure ? new(failure.Code, failure.Detail ?? failure.Code) : null,
            IncompleteDetails = status == "incomplete" ? new(answer.FinishReason == "length" ? "max_output_tokens" : "stopped") : null,
            Output = ended ? OutputOf(answer, status == "completed" ? "completed" : "incomplete") : [],
            Usage = ended ? UsageOf(answer.Usage) : null,
            Model = request.Model.Value ?? "",
            Instructions = request.Instructions.Value,
            PreviousResponseId = request.PreviousResponseId.Value,
            MaxOutputTokens = request.MaxOutputTokens.Value,
            Temperature = request.Temperature.Value,
            Tools = [.. (request.Tools.Value ?? []).Select(tool => new ResponseTool(tool?.Name.Value ?? "", tool?.Description.Value, tool?.Parameters.Value ?? Nothing))],
            ToolChoice = request.ToolChoice.Value is { ValueKind: JsonValueKind.String } choice ? choice.GetString()! : "auto",
            Store = request.Store.Value ?? true,
            User = request.User.Value,
            Metadata = request.Metadata.Value is { ValueKind: JsonValueKind.Object } metadata ? metadata : Nothing,
            Text = new(request.Text.Value?.Format.Value is { ValueKind: JsonValueKind.Object } format ? format : PlainText),
        };
    }

    /// <summary>The item that holds the text.</summary>
    public static ResponseItem MessageOf(AnswerSoFar answer, string status, params ResponsePart[] content) =>
        new() { Id = $"msg_{Stem(answer.Live)}", Type = "message", Status = status, Role = "assistant", Content = content };

    /// <summary>The item of the client's n-th call.</summary>
    public static ResponseItem CallOf(AnswerSoFar answer, int index, string status, string? arguments = null)
    {
        var call = answer.Calls[index];
        return new() { Id = $"fc_{Stem(answer.Live)}_{index}", Type = "function_call", Status = status, CallId = call.Id, Name = call.Name, Arguments = arguments ?? call.Arguments };
    }

    /// <summary>True when the answer has a message: whenever there is text, and when there is nothing else.</summary>
    public static bool HasMessage(AnswerSoFar answer) => answer.Text.Length > 0 || answer.Calls.Count == 0 && answer.Failure is null;

    private static List<ResponseItem> OutputOf(AnswerSoFar answer, string status)
    {
        var items = new List<ResponseItem>();
        if (HasMessage(answer)) items.Add(MessageOf(answer, status, new ResponsePart(answer.Text)));
        for (var i = 0; i < answer.Calls.Count; i++) items.Add(CallOf(answer, i, status));
        return items;
    }

    private static string StatusOf(AnswerSoFar answer, bool ended) => ended switch
    {
        false => "in_progress",
        _ when answer.Failure is not null => "failed",
        _ when answer.FinishReason is "length" or "stopped" => "incomplete",
        _ => "completed",
    };

    // A turn that waited for its client has several streams, each a response with items of its own.
    private static string Stem(LiveTurn live) => live.FirstSequence == 1 ? $"{live.TurnId:N}" : $"{live.TurnId:N}_{live.FirstSequence}";

    private static ResponseUsage UsageOf(ModelUsage usage) =>
        new(usage.InputTokens, new(usage.CacheReadTokens), usage.OutputTokens, new(0), usage.InputTokens + usage.OutputTokens);
}
