using System.Text.RegularExpressions;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Agents.Multiplayer;

/// <summary>How an agent behaves in threads of several people.</summary>
internal sealed partial record MultiplayerConfig : IAgentConfig
{
    public const string Mention = "mention", Always = "always";
    private const int MaxNames = 10, MaxAgents = 10;

    public static string Name => "multiplayer";

    /// <summary>False: the agent answers every message, and nobody else is called.</summary>
    public bool Enabled { get; init; }

    /// <summary>Whether the agent answers a message that calls nobody.</summary>
    public string RespondMode { get; init; } = Mention;

    /// <summary>Handles besides the one of the agent's name.</summary>
    public IReadOnlyList<string> MentionNames { get; init; } = [];

    /// <summary>Other agents that can be called in this agent's threads.</summary>
    public IReadOnlyList<Guid> AdditionalAgents { get; init; } = [];

    public bool IncludeSenderNames { get; init; } = true;
    public int MaxParticipants { get; init; } = 50;

    /// <summary>Adds a fault for everything the contract does not allow.</summary>
    public void Check(FieldErrors errors, Guid agentId)
    {
        errors.OneOf("respondMode", RespondMode, Mention, Always);
        errors.Range("maxParticipants", MaxParticipants, 2, 500);
        if (MentionNames.Count > MaxNames) errors.Add("mentionNames", $"has more than {MaxNames} names");
        for (var i = 0; i < MentionNames.Count; i++)
        {
            if (!MentionName().IsMatch(MentionNames[i])) errors.Add($"mentionNames[{i}]", "must match ^[a-z0-9_-]{2,40}$");
        }
        if (AdditionalAgents.Count > MaxAgents) errors.Add("additionalAgents", $"has more than {MaxAgents} agents");
        if (AdditionalAgents.Contains(agentId)) errors.Add("additionalAgents", "holds the agent itself");
    }

    [GeneratedRegex(@"^[a-z0-9_-]{2,40}\z")]
    private static partial Regex MentionName();
}
