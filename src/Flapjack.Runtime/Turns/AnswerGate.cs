using System.Text;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Turns;

/// <summary>Lets an answer pass when it meets the turn's format, and has the model correct one that does not.</summary>
internal sealed class AnswerGate(TurnState state)
{
    /// <summary>How often a faulty answer is asked for again.</summary>
    public const int MaxRepairs = 2;

    private const int MaxFaultBytes = 2_000;
    private int _repairs;

    /// <summary>The faulty answers and what the model was told of them. They follow the prompt of this stream only: no later turn should learn from them.</summary>
    public List<ChatMessage> Exchange { get; } = [];

    /// <summary>A repair is a matter of form: the model has no tools for it.</summary>
    public bool IsRepairing => _repairs > 0;

    /// <summary>The text of the step as the client may have it; null when the model has to answer anew.</summary>
    /// <exception cref="ModelException">The repairs are used up. The last text stays in the state though nobody was told it.</exception>
    public string? Accept(ModelStep step)
    {
        var check = state.Format!.Check(step.Text);
        if (check.Mistakes.Count == 0)
        {
            state.Output = check.Value;
            return check.Text;
        }
        step.Refuse(ModelErrors.SchemaMismatch);
        var fault = FaultOf(check, step.FinishReason);
        if (_repairs == MaxRepairs)
        {
            step.BeginText();
            step.Say(step.Text);
            throw new ModelException(ModelErrors.SchemaMismatch, $"The answer does not meet responseFormat after {MaxRepairs} repairs:{fault}");
        }
        _repairs++;
        // Some providers refuse a message without text.
        if (check.Text.Length > 0) Exchange.Add(new(ChatRole.Assistant, check.Text));
        Exchange.Add(new(ChatRole.User, $"This answer does not have the requested format:{fault}\nAnswer again with the corrected JSON value and nothing else."));
        return null;
    }

    private static string FaultOf(AnswerCheck check, ChatFinishReason? reason)
    {
        var text = new StringBuilder();
        foreach (var (path, message) in check.Mistakes) text.Append("\n- ").Append(path.Length == 0 ? "the answer" : path).Append(": ").Append(message);
        if (reason == ChatFinishReason.Length) text.Append("\n- the answer was cut off at the output limit: it has to be shorter");
        return JsonText.Head(text.ToString(), MaxFaultBytes);
    }
}
