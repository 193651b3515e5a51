using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Streams;

namespace Flapjack.Server.OpenAICompat.Chat;

/// <summary>Gives answers in the form of Chat Completions.</summary>
internal sealed class ChatForm(ChatCompletionRequest request) : IAnswerForm
{
    private readonly string _model = request.Model.Value ?? "";

    public bool Streams => request.Stream.Value ?? false;

    public IEventTranslation Translate(LiveTurn live) => new ChatChunks(live, _model, request.StreamOptions.Value?.IncludeUsage.Value ?? false);

    public object Whole(AnswerSoFar answer)
    {
        var message = new ChatAnswer(answer.Text.Length == 0 && answer.Calls.Count > 0 ? null : answer.Text, answer.Calls.Count == 0 ? null : [.. answer.Calls.Select(call => CallOf(null, call))]);
        return new ChatCompletion(IdOf(answer.Live), UnixTime.Of(answer.StartedAt), _model, [new(0, message, FinishOf(answer))], UsageOf(answer.Usage));
    }

    public static string IdOf(LiveTurn live) => $"chatcmpl-{live.TurnId:N}";

    public static string FinishOf(AnswerSoFar answer) => answer.Calls.Count > 0 ? "tool_calls" : answer.FinishReason == "length" ? "length" : "stop";

    public static ChatToolCall CallOf(int? index, TurnCall call) => new(index, call.Id, new(call.Name, call.Arguments));

    public static ChatUsage UsageOf(ModelUsage usage) => new(usage.InputTokens, usage.OutputTokens, usage.InputTokens + usage.OutputTokens, new(usage.CacheReadTokens));
}
