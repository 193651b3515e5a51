using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Knowledge.Search;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Knowledge.Turns;

/// <summary>How an agent uses documents.</summary>
internal sealed record KnowledgeConfig : IAgentConfig
{
    public static string Name => "knowledge";

    public bool Enabled { get; init; } = true;
    public int TopK { get; init; } = 6;
    public string Mode { get; init; } = SearchModes.Auto;
    public double MinScore { get; init; }

    /// <summary>Of the block in the prompt.</summary>
    public int MaxTokens { get; init; } = 6_000;

    public bool IncludeOrg { get; init; } = true;

    /// <summary>Also offers a tool to search by itself.</summary>
    public bool SearchTool { get; init; }

    /// <summary>Adds a fault for everything the contract does not allow.</summary>
    public void Check(FieldErrors errors, EmbeddingModels models)
    {
        errors.Range("topK", TopK, 1, 50);
        errors.Range("minScore", MinScore, 0, 1);
        errors.Range("maxTokens", MaxTokens, 1, 1_000_000);
        SearchEndpoints.CheckMode(errors, Mode, models);
    }
}
