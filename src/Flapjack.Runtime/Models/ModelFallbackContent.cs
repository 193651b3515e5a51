using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Models;

/// <summary>Marks in a model's stream that another model answers from here on. The turn loop turns it into the client event <c>model_fallback</c>. Every stream that another model answers carries it: without it the loop takes, and prices, the requested model.</summary>
public sealed class ModelFallbackContent(string from, string to, int? status) : AIContent
{
    /// <summary>The model that failed.</summary>
    public string From { get; } = from;
    /// <summary>The model that answers instead.</summary>
    public string To { get; } = to;
    /// <summary>The status that caused the switch; null when there was no answer.</summary>
    public int? Status { get; } = status;
}
