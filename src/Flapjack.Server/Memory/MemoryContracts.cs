using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Memory;

/// <summary>A memory to store.</summary>
public sealed record CreateMemoryRequest
{
    /// <summary>1 to 2,000 characters. Required.</summary>
    public Optional<string> Content { get; init; }
    /// <summary><c>agent</c> (default), <c>thread</c> or <c>resource</c>.</summary>
    public Optional<string> Scope { get; init; }
    /// <summary>UUID of the thread, or <c>type:id</c> of the resource. Required for those.</summary>
    public Optional<string> ScopeId { get; init; }
    /// <summary>Object, at most 16 KB.</summary>
    public Optional<JsonElement?> Metadata { get; init; }
}

/// <summary>Which memories to delete.</summary>
public sealed record DeleteMemoriesRequest
{
    /// <summary><c>agent</c>, <c>thread</c> or <c>resource</c>.</summary>
    public Optional<string> Scope { get; init; }
    /// <summary>Id of the scope.</summary>
    public Optional<string> ScopeId { get; init; }
    /// <summary>True for all of the agent.</summary>
    public Optional<bool?> All { get; init; }
}

/// <summary>Something an agent remembers.</summary>
public sealed record MemoryResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>Whose memory it is.</summary>
    public required Guid AgentId { get; init; }
    /// <summary><c>agent</c>, <c>thread</c> or <c>resource</c>.</summary>
    public required string Scope { get; init; }
    /// <summary>The agent's or thread's id, or <c>type:id</c> of the resource.</summary>
    public required string ScopeId { get; init; }
    /// <summary>What it says.</summary>
    public required string Content { get; init; }
    /// <summary><c>tool</c>, <c>auto_collect</c> or <c>api</c>.</summary>
    public required string Source { get; init; }
    /// <summary>How well it fits <c>q</c>, 0 to 1; null without one.</summary>
    public required double? Score { get; init; }
    /// <summary>As it was given.</summary>
    public required JsonElement Metadata { get; init; }
    /// <summary>When it was last recalled, UTC.</summary>
    public required DateTime? LastUsedAt { get; init; }
    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    internal static MemoryResponse From(MemoryEntry memory, double? score = null) => new()
    {
        Id = memory.Id,
        AgentId = memory.AgentId,
        Scope = memory.Scope,
        ScopeId = memory.ScopeId,
        Content = memory.Content,
        Source = memory.Source,
        Score = score is { } exact ? Math.Round(exact, 4) : null,
        Metadata = JsonSerializer.Deserialize<JsonElement>(memory.Metadata),
        LastUsedAt = memory.LastUsedAt,
        CreatedAt = memory.CreatedAt,
    };
}

/// <summary>A page of memories.</summary>
/// <param name="Memories">Newest first, or best first with <c>q</c>.</param>
/// <param name="NextCursor">For the next page; null on the last.</param>
public sealed record MemoryPage(IReadOnlyList<MemoryResponse> Memories, [property: System.Text.Json.Serialization.JsonPropertyName("nextCursor")] string? NextCursor);

/// <summary>How many memories were deleted.</summary>
/// <param name="Done">Always true.</param>
/// <param name="Deleted">How many.</param>
public sealed record MemoriesDeleted([property: System.Text.Json.Serialization.JsonPropertyName("ok")] bool Done, int Deleted);
