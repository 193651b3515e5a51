using System.Text.Json;
using Flapjack.Runtime.Models;

namespace Flapjack.Runtime.Turns;

/// <summary>One operation of a turn, for its trace. Times are UTC. Inputs and outputs never hold credentials.</summary>
public sealed class TurnSpan
{
    /// <summary>Time-ordered id.</summary>
    public required Guid Id { get; init; }
    /// <summary>The span this one ran in; null = directly under the turn's root span.</summary>
    public Guid? ParentId { get; init; }
    /// <summary><c>agent</c>, <c>llm</c>, <c>tool</c>, <c>mcp</c>, <c>webhook</c>, <c>embedding</c> or <c>chain</c>.</summary>
    public required string Kind { get; init; }
    /// <summary>Model id, tool name, or what a person would call it.</summary>
    public required string Name { get; init; }
    /// <summary>When the operation began.</summary>
    public required DateTime StartedAt { get; init; }
    /// <summary>When it ended.</summary>
    public DateTime EndedAt { get; set; }
    /// <summary>What went in, as JSON.</summary>
    public JsonElement? Input { get; set; }
    /// <summary>What came out, as JSON.</summary>
    public JsonElement? Output { get; set; }
    /// <summary>The code it failed with; null when it went well.</summary>
    public string? Error { get; set; }
    /// <summary>Only on <c>llm</c> spans.</summary>
    public ModelCall? Model { get; set; }

    /// <summary>The span as part of another trace.</summary>
    /// <param name="parent">What it hangs under there, unless another span of its own trace holds it.</param>
    /// <param name="model">Its model side there.</param>
    public TurnSpan Under(Guid parent, ModelCall? model) => new()
    {
        Id = Id,
        ParentId = ParentId ?? parent,
        Kind = Kind,
        Name = Name,
        StartedAt = StartedAt,
        EndedAt = EndedAt,
        Input = Input,
        Output = Output,
        Error = Error,
        Model = model,
    };
}

/// <summary>The model side of an <c>llm</c> span.</summary>
/// <param name="Model">Model id as requested.</param>
/// <param name="Temperature">As sent; null when not sent.</param>
/// <param name="MaxTokens">As sent; null when not sent.</param>
/// <param name="Usage">Tokens of this call.</param>
/// <param name="CostUsd">Null when the model has no price.</param>
/// <param name="HistoryMessages">How many messages the prompt held before the ones in the span's input.</param>
public sealed record ModelCall(string Model, float? Temperature, int? MaxTokens, ModelUsage Usage, decimal? CostUsd, int HistoryMessages)
{
    /// <summary>The provider that was called; null = the one the turn uses for this model.</summary>
    public string? Provider { get; init; }

    /// <summary>Whose credential the call was made with, when the stream said so, or when the call was another turn's.</summary>
    public string? CredentialSource { get; init; }
}
