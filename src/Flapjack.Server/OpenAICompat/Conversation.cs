using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.OpenAICompat;

/// <summary>What a request tells of its conversation, whichever protocol it came in.</summary>
/// <param name="List">What the request calls it: <c>messages</c> or <c>input</c>.</param>
/// <param name="Instructions">For the model, beside the agent's own prompt.</param>
/// <param name="Said">Everything said, oldest first.</param>
internal sealed record Conversation(string List, string? Instructions, IReadOnlyList<PastMessage> Said)
{
    /// <summary>What is new to a thread that knows the rest: whatever follows the last answer. Of several user messages the last one counts.</summary>
    public ConversationTail Tail()
    {
        var start = Said.Count;
        while (start > 0 && Said[start - 1].Role is MessageRoles.User or MessageRoles.Tool) start--;
        var tail = Said.Skip(start).ToList();
        var question = tail.LastOrDefault(m => m.Role == MessageRoles.User);
        var answers = tail.Where(m => m.Role == MessageRoles.Tool).Select(AnswerOf).ToList();
        return question is null && answers.Count == 0 ? throw EndsWrongly() : new(question, answers);
    }

    /// <summary>The conversation as a thread of its own: what was said before, and what is new.</summary>
    public (IReadOnlyList<PastMessage> Past, WaitingTurn? Waiting, ConversationTail Tail) Whole()
    {
        switch (Said[^1].Role)
        {
            case MessageRoles.User:
                return (Said.Take(Said.Count - 1).ToList(), null, new(Said[^1], []));
            case MessageRoles.Tool:
                var asked = Said.Select(m => m.Role).ToList().LastIndexOf(MessageRoles.User);
                if (asked < 0) throw ApiException.Invalid(List, "needs a message from the user");
                var step = Said.Select(m => m.Role).ToList().LastIndexOf(MessageRoles.Step);
                var waiting = new WaitingTurn(Said[asked], Said.Skip(asked + 1).Take(step - asked).ToList());
                return (Said.Take(asked).ToList(), waiting, new(null, Said.Skip(step + 1).Select(AnswerOf).ToList()));
            default:
                throw EndsWrongly();
        }
    }

    private ApiException EndsWrongly() => ApiException.Invalid(List, "must end with a message from the user or the result of a tool call");

    private static ToolAnswer AnswerOf(PastMessage message) => new(message.Answers!.Id, message.Text, false);
}

/// <summary>The part of a conversation that starts a turn, or lets one go on.</summary>
/// <param name="Question">The user's message; null when there are only results.</param>
/// <param name="Answers">Results of client-side calls.</param>
internal sealed record ConversationTail(PastMessage? Question, IReadOnlyList<ToolAnswer> Answers);
