using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Turns;

/// <summary>Where a turn writes what must survive a crash. The intent of every tool call is stored before the call is made, its result after. Calls of this interface never overlap within a turn; results are recorded also after the turn was cancelled, with a token that is not.</summary>
public interface ITurnJournal
{
    /// <summary>Stores one model step that called tools: its text and the calls, all still without result. Returns when it is durable.</summary>
    ValueTask RecordStepAsync(TurnStep step, CancellationToken cancellationToken);

    /// <summary>Stores the result of one call. Returns when it is durable.</summary>
    ValueTask RecordResultAsync(TurnCallResult result, CancellationToken cancellationToken);
}

/// <summary>A model step that called tools, or that only compacted the conversation.</summary>
/// <param name="Text">What the model said in this step before it called; may be empty.</param>
/// <param name="Reasoning">The provider's signed reasoning in the form of <see cref="SignedReasoning"/>, needed to continue the step; null when there is none.</param>
/// <param name="Calls">Every call of the step in the model's order, client-side ones included.</param>
public sealed record TurnStep(string Text, string? Reasoning, IReadOnlyList<TurnCall> Calls)
{
    /// <summary>Set when the provider summarised what came before the step; the summary itself is part of <see cref="Reasoning"/>.</summary>
    public CompactionContent? Compaction { get; init; }

    /// <summary>The step as it stands in the prompt, live and restored alike: equal prompts keep provider caches warm.</summary>
    public ChatMessage ToMessage()
    {
        var contents = new List<AIContent>(SignedReasoning.Parse(Reasoning));
        if (Text.Length > 0) contents.Add(new TextContent(Text));
        foreach (var call in Calls) contents.Add(ToolCallArguments.Create(call.Id, call.Name, call.Arguments));
        return new(ChatRole.Assistant, contents);
    }
}

/// <summary>A step of an earlier run of the turn whose server died before every call had its result.</summary>
/// <param name="Step">The step as it was recorded.</param>
/// <param name="Results">The results that were recorded.</param>
public sealed record InterruptedStep(TurnStep Step, IReadOnlyList<TurnCallResult> Results);

/// <summary>One tool call. <paramref name="Arguments"/> is the JSON text the model wrote; <paramref name="ClientSide"/> calls are answered by the client.</summary>
public sealed record TurnCall(string Id, string Name, string Arguments, bool ClientSide, bool Idempotent = false);

/// <summary>The result of one call as the model reads it: JSON text, or plain text; at most 100,000 characters.</summary>
public sealed record TurnCallResult(string CallId, string Content, bool IsError)
{
    /// <summary>The results of one step as they stand in the prompt: a single message, in the order of the calls.</summary>
    public static ChatMessage ToMessage(IEnumerable<TurnCallResult> results)
    {
        var contents = new List<AIContent>();
        foreach (var result in results) contents.Add(new FunctionResultContent(result.CallId, result.Content));
        return new(ChatRole.Tool, contents);
    }
}
