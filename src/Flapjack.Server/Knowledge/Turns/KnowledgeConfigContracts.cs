using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Knowledge.Turns;

/// <summary>Changes the fields that are sent; <c>null</c> restores a default.</summary>
public sealed record KnowledgeConfigRequest
{
    private static readonly KnowledgeConfig Default = new();

    /// <summary>False: no documents are put into the prompt, and the tool is not offered. Default true.</summary>
    public Optional<bool?> Enabled { get; init; }
    /// <summary>The most pieces of documents in a prompt, 1 to 50, default 6.</summary>
    public Optional<int?> TopK { get; init; }
    /// <summary><c>auto</c> (default), <c>lexical</c>, <c>vector</c> or <c>hybrid</c>.</summary>
    public Optional<string> Mode { get; init; }
    /// <summary>0 to 1, default 0: leaves out what fits less, compared with the best.</summary>
    public Optional<double?> MinScore { get; init; }
    /// <summary>The most tokens of documents in a prompt, default 6,000.</summary>
    public Optional<int?> MaxTokens { get; init; }
    /// <summary>Whether the organisation's documents are used too; default true.</summary>
    public Optional<bool?> IncludeOrg { get; init; }
    /// <summary>Whether the model is also given the tool <c>knowledge_search</c>; default false.</summary>
    public Optional<bool?> SearchTool { get; init; }

    internal KnowledgeConfig ApplyTo(KnowledgeConfig saved) => new()
    {
        Enabled = Enabled.Over(saved.Enabled, Default.Enabled),
        TopK = TopK.Over(saved.TopK, Default.TopK),
        Mode = Mode.Over(saved.Mode, Default.Mode),
        MinScore = MinScore.Over(saved.MinScore, Default.MinScore),
        MaxTokens = MaxTokens.Over(saved.MaxTokens, Default.MaxTokens),
        IncludeOrg = IncludeOrg.Over(saved.IncludeOrg, Default.IncludeOrg),
        SearchTool = SearchTool.Over(saved.SearchTool, Default.SearchTool),
    };
}

/// <summary>How an agent uses documents.</summary>
/// <param name="Enabled">Whether it uses them.</param>
/// <param name="TopK">The most pieces in a prompt.</param>
/// <param name="Mode"><c>auto</c>, <c>lexical</c>, <c>vector</c> or <c>hybrid</c>.</param>
/// <param name="MinScore">What fits less is left out.</param>
/// <param name="MaxTokens">The most tokens in a prompt.</param>
/// <param name="IncludeOrg">Whether the organisation's documents are used too.</param>
/// <param name="SearchTool">Whether the model is also given the tool <c>knowledge_search</c>.</param>
/// <param name="UpdatedAt">Time of the last change, UTC; null when never saved.</param>
public sealed record KnowledgeConfigResponse(bool Enabled, int TopK, string Mode, double MinScore, int MaxTokens, bool IncludeOrg, bool SearchTool, DateTime? UpdatedAt)
{
    internal static KnowledgeConfigResponse From(KnowledgeConfig c, DateTime? updatedAt) => new(c.Enabled, c.TopK, c.Mode, c.MinScore, c.MaxTokens, c.IncludeOrg, c.SearchTool, updatedAt);
}
