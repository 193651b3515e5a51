using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Knowledge.Search;

/// <summary>A question to documents. Either what an agent (and thread) would see, or one scope.</summary>
public sealed record KnowledgeSearchRequest
{
    /// <summary>At most 8,000 characters. Required.</summary>
    public Optional<string> Query { get; init; }
    /// <summary>Searches everything this agent would see.</summary>
    public Optional<string> AgentId { get; init; }
    /// <summary>Searches this thread's documents too; without <c>agentId</c>, what its agent would see.</summary>
    public Optional<string> ThreadId { get; init; }
    /// <summary>With <c>scopeId</c>, instead of agent and thread: <c>org</c>, <c>agent</c> or <c>thread</c>.</summary>
    public Optional<string> ScopeType { get; init; }
    /// <summary>UUID of the agent or thread; for <c>org</c> that of the organisation.</summary>
    public Optional<string> ScopeId { get; init; }
    /// <summary>1 to 50, default 6.</summary>
    public Optional<int?> Limit { get; init; }
    /// <summary><c>auto</c> (default), <c>lexical</c>, <c>vector</c> or <c>hybrid</c>; the last two need an embedding model.</summary>
    public Optional<string> Mode { get; init; }
    /// <summary>0 to 1, default 0: leaves out what fits less, compared with the best.</summary>
    public Optional<double?> MinScore { get; init; }
    /// <summary>Only documents whose metadata has these top-level keys with these values.</summary>
    public Optional<JsonElement?> Filter { get; init; }
}

/// <summary>What was found.</summary>
/// <param name="Mode">How it was searched: <c>lexical</c>, <c>vector</c> or <c>hybrid</c>.</param>
/// <param name="Results">Best first.</param>
public sealed record KnowledgeSearchResponse(string Mode, IReadOnlyList<KnowledgeSearchResult> Results);

/// <summary>A piece of a document that was found.</summary>
public sealed record KnowledgeSearchResult
{
    /// <summary>UUID.</summary>
    public required Guid DocumentId { get; init; }
    /// <summary>UUID.</summary>
    public required Guid ChunkId { get; init; }
    /// <summary>Of the document.</summary>
    public required string Title { get; init; }
    /// <summary>Name of the file, or address.</summary>
    public required string SourceRef { get; init; }
    /// <summary><c>org</c>, <c>agent</c> or <c>thread</c>.</summary>
    public required string ScopeType { get; init; }
    /// <summary>From 0, in the document.</summary>
    public required int Position { get; init; }
    /// <summary>Of the section it begins in.</summary>
    public required string? Heading { get; init; }
    /// <summary>The page it begins on.</summary>
    public required int? Page { get; init; }
    /// <summary>0 to 1; the best has 1.</summary>
    public required double Score { get; init; }
    /// <summary>The text.</summary>
    public required string Text { get; init; }

    internal static KnowledgeSearchResult From(FoundChunk c) => new()
    {
        DocumentId = c.DocumentId,
        ChunkId = c.ChunkId,
        Title = c.Title,
        SourceRef = c.SourceRef,
        ScopeType = c.ScopeType,
        Position = c.Position,
        Heading = c.Heading,
        Page = c.Page,
        Score = Math.Round(c.Score, 6),
        Text = c.Text,
    };
}
