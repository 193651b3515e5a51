using System.Text;
using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Tools;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Turns;

/// <summary>Everything one turn starts from and everything it has reached. The loop changes the second half only; whoever runs the loop reads it afterwards, also when the loop threw.</summary>
public sealed class TurnState
{
    private readonly Lock _books = new();

    /// <summary>Where model calls go; retry, fallback and metering are already around it.</summary>
    public required IChatClient Model { get; init; }
    /// <summary>Model id as requested.</summary>
    public required string ModelId { get; init; }
    /// <summary>Temperature, token limit, response format and <see cref="ModelSettings"/>; the loop sets the tools per call.</summary>
    public required ChatOptions Options { get; init; }
    /// <summary>The prompt: system sections, earlier messages, the new user message, and what earlier streams of this turn added. Never changed by the loop.</summary>
    public required IReadOnlyList<ChatMessage> Prompt { get; set; }
    /// <summary>How many messages at the head of <see cref="Prompt"/> earlier turns already traced; span inputs leave them out.</summary>
    public int TracedMessages { get; set; }
    /// <summary>Tools of this turn.</summary>
    public required ToolSet Tools { get; init; }
    /// <summary>Who the turn runs for.</summary>
    public required ToolCaller Caller { get; init; }
    /// <summary>Where steps and results are stored.</summary>
    public required ITurnJournal Journal { get; init; }
    /// <summary>Server-side tool calls allowed in this turn, over all its streams.</summary>
    public required int MaxToolCalls { get; init; }
    /// <summary>Price of a model; null when unknown. Asked per call, since a fallback may answer.</summary>
    public required Func<string, ModelPrice?> PriceOf { get; init; }
    /// <summary>What the answer has to be; null = any text. Text of a turn with a format is told when its answer is known to be good, and text before tool calls stays with its step.</summary>
    public AnswerFormat? Format { get; init; }
    /// <summary>Every model that may answer has vision, so that images of tools are shown.</summary>
    public bool ShowsImages { get; init; }
    /// <summary>A step that a crash left unfinished; the loop finishes it before it asks the model. Not part of <see cref="Prompt"/>.</summary>
    public InterruptedStep? Interrupted { get; init; }
    /// <summary>Set before a stop when another run will take the turn up again: calls that the stop cuts off keep no result, because their outcome is not known.</summary>
    public bool LeavesCallsOpen { get; set; }
    /// <summary>Told of every exception a tool threw that is neither a <see cref="ToolException"/> nor a cancellation (tool name, fault), for the log; the model reads only <c>TOOL_FAILED</c>. May be called from any thread.</summary>
    public Action<string, Exception>? ToolFaulted { get; init; }

    /// <summary>Ids of calls that were made in this turn but do not stand in <see cref="Prompt"/>; no further call gets one of them.</summary>
    public IReadOnlySet<string>? TakenCallIds { get; init; }

    /// <summary>The answer so far, over all streams of the turn.</summary>
    public StringBuilder Text { get; init; } = new();
    /// <summary>Where in <see cref="Text"/> the text after the last tool step begins; earlier text is stored with its step.</summary>
    public int TailStart { get; set; }
    /// <summary>Set when the model step that said the text from <see cref="TailStart"/> on began with a summary of its provider; it is stored with that text.</summary>
    public CompactionContent? TailCompaction { get; set; }
    /// <summary>Server-side calls of the model so far, refused ones included.</summary>
    public int ToolCallsUsed { get; set; }
    /// <summary>Rounds of client-side calls so far.</summary>
    public int ClientRounds { get; set; }
    /// <summary>Tokens over all model calls.</summary>
    public ModelUsage Usage { get; set; }
    /// <summary>Cost over all priced calls in US dollars; null until a priced call ended.</summary>
    public decimal? CostUsd { get; set; }
    /// <summary>The model that answered last; differs from <see cref="ModelId"/> after a fallback.</summary>
    public string? AnsweredBy { get; set; }
    /// <summary>Messages the loop added to the prompt: steps, results, nothing after the last text.</summary>
    public List<ChatMessage> Added { get; } = [];
    /// <summary>Spans under the turn's root, in order of start.</summary>
    public List<TurnSpan> Spans { get; } = [];
    /// <summary>The value of an answer that met <see cref="Format"/>.</summary>
    public JsonElement? Output { get; set; }
    /// <summary>Set when the loop ended by itself; null after an exception or a stop.</summary>
    public TurnOutcome? Outcome { get; set; }

    /// <summary>Adds a span. From any thread, for calls run side by side.</summary>
    public void Add(TurnSpan span)
    {
        lock (_books) Spans.Add(span);
    }

    /// <summary>Books tokens and cost (null = not priced). From any thread.</summary>
    public void Add(ModelUsage usage, decimal? costUsd)
    {
        lock (_books)
        {
            Usage += usage;
            if (costUsd is { } cost) CostUsd = (CostUsd ?? 0) + cost;
        }
    }
}

/// <summary>How a turn ended by itself.</summary>
/// <param name="FinishReason"><c>stop</c>, <c>length</c>, <c>tool_limit</c>, <c>auth_challenge</c> or <c>compaction_paused</c>; null while client-side calls are pending.</param>
/// <param name="PendingCalls">Client-side calls the client has to answer; empty when the turn is over.</param>
public sealed record TurnOutcome(string? FinishReason, IReadOnlyList<TurnCall> PendingCalls);
