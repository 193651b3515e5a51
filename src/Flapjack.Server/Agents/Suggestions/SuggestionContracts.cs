using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Agents.Suggestions;

/// <summary>With <c>title</c>: a suggestion to store. Without: the order that a model look for some.</summary>
public sealed record SuggestionRequest
{
    private const int MaxFocus = 1_000, MostAtOnce = 10, UsualAtOnce = 5;

    /// <summary>1 to 300 characters. Without it the agent's model reviews the agent.</summary>
    public Optional<string> Title { get; init; }
    /// <summary>At most 5,000 characters.</summary>
    public Optional<string> Detail { get; init; }
    /// <summary><c>prompt</c> (default), <c>tools</c>, <c>knowledge</c>, <c>model</c>, <c>safety</c> or <c>cost</c>.</summary>
    public Optional<string> Category { get; init; }
    /// <summary><c>low</c>, <c>medium</c> (default) or <c>high</c>.</summary>
    public Optional<string> Severity { get; init; }
    /// <summary>The proposed change: <c>agent</c> or names of configs, each with an object of fields; at most 16 KB. It is shown as sent, so it must hold no secret.</summary>
    public Optional<JsonElement?> Patch { get; init; }
    /// <summary>For a review: what to look at, at most 1,000 characters.</summary>
    public Optional<string> Focus { get; init; }
    /// <summary>For a review: how many suggestions at most, 1 to 10, default 5.</summary>
    public Optional<int?> MaxCount { get; init; }

    internal int Most => MaxCount.Value ?? UsualAtOnce;

    internal void Check()
    {
        var errors = new FieldErrors();
        errors.Text("title", Title.Value, Suggestion.MaxTitle, min: 1);
        errors.Text("detail", Detail.Value, Suggestion.MaxDetail);
        errors.OneOf("category", Category.Value, Suggestion.Categories);
        errors.OneOf("severity", Severity.Value, Suggestion.Severities);
        SuggestionPatch.Check(errors, Patch.Value);
        errors.Text("focus", Focus.Value, MaxFocus);
        errors.Range("maxCount", MaxCount.Value, 1, MostAtOnce);
        errors.ThrowIfAny();
    }

    /// <summary>The suggestion that was sent; it was checked and has a title.</summary>
    internal Proposal ToProposal() => new(
        Category.Value ?? Suggestion.Prompt, Severity.Value ?? Suggestion.Medium, Title.Value!, Detail.Value,
        Patch.Value is { ValueKind: JsonValueKind.Object } patch ? patch.GetRawText() : null);
}

/// <summary>Dismisses a suggestion, or takes it up again.</summary>
public sealed record SuggestionChangeRequest
{
    /// <summary>UUID of the suggestion. Required.</summary>
    public Optional<string> SuggestionId { get; init; }
    /// <summary>True by default.</summary>
    public Optional<bool?> Dismissed { get; init; }
}

/// <summary>How an agent might be improved. Nothing applies it by itself.</summary>
public sealed record SuggestionResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>The agent.</summary>
    public required Guid AgentId { get; init; }
    /// <summary><c>prompt</c>, <c>tools</c>, <c>knowledge</c>, <c>model</c>, <c>safety</c> or <c>cost</c>.</summary>
    public required string Category { get; init; }
    /// <summary><c>low</c>, <c>medium</c> or <c>high</c>.</summary>
    public required string Severity { get; init; }
    /// <summary>What is wrong, or could be better.</summary>
    public required string Title { get; init; }
    /// <summary>Why, and what to do.</summary>
    public required string? Detail { get; init; }
    /// <summary>The proposed change: <c>agent</c> or names of configs, each with its fields; null when there is none.</summary>
    public required JsonElement? Patch { get; init; }
    /// <summary>True when somebody has dealt with it.</summary>
    public required bool Dismissed { get; init; }
    /// <summary>When, UTC.</summary>
    public required DateTime? DismissedAt { get; init; }
    /// <summary><c>api</c> or <c>model</c>.</summary>
    public required string Source { get; init; }
    /// <summary>Time of creation, UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    internal static SuggestionResponse From(Suggestion suggestion) => new()
    {
        Id = suggestion.Id,
        AgentId = suggestion.AgentId,
        Category = suggestion.Category,
        Severity = suggestion.Severity,
        Title = suggestion.Title,
        Detail = suggestion.Detail,
        Patch = suggestion.Patch is null ? null : JsonElement.Parse(suggestion.Patch),
        Dismissed = suggestion.Dismissed,
        DismissedAt = suggestion.DismissedAt,
        Source = suggestion.Source,
        CreatedAt = suggestion.CreatedAt,
    };
}
