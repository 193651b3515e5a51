using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Agents.Multiplayer;

/// <summary>Changes the fields that are sent; <c>null</c> restores a default.</summary>
public sealed record MultiplayerRequest
{
    private static readonly MultiplayerConfig Default = new();

    /// <summary>False (default): the agent answers every message of a multiplayer thread.</summary>
    public Optional<bool?> Enabled { get; init; }
    /// <summary><c>mention</c> (default): only messages with one of the handles are answered. <c>always</c>: the agent also answers messages that call nobody.</summary>
    public Optional<string> RespondMode { get; init; }
    /// <summary>Extra handles, at most 10, each <c>^[a-z0-9_-]{2,40}$</c>.</summary>
    public Optional<List<string?>> MentionNames { get; init; }
    /// <summary>UUIDs of other agents that can be called by their handles, at most 10. 404 for an unknown one.</summary>
    public Optional<List<string?>> AdditionalAgents { get; init; }
    /// <summary>Whether user messages reach the model as <c>Name: text</c>; default true.</summary>
    public Optional<bool?> IncludeSenderNames { get; init; }
    /// <summary>2 to 500, default 50.</summary>
    public Optional<int?> MaxParticipants { get; init; }

    /// <summary>The config with what was sent; faults of single values are added to <paramref name="errors"/>.</summary>
    internal MultiplayerConfig ApplyTo(MultiplayerConfig saved, FieldErrors errors) => saved with
    {
        Enabled = Enabled.Over(saved.Enabled, Default.Enabled),
        RespondMode = RespondMode.Over(saved.RespondMode, Default.RespondMode),
        MentionNames = MentionNames.IsSet ? [.. Names(MentionNames.Value)] : saved.MentionNames,
        AdditionalAgents = AdditionalAgents.IsSet ? [.. Ids(AdditionalAgents.Value, errors)] : saved.AdditionalAgents,
        IncludeSenderNames = IncludeSenderNames.Over(saved.IncludeSenderNames, Default.IncludeSenderNames),
        MaxParticipants = MaxParticipants.Over(saved.MaxParticipants, Default.MaxParticipants),
    };

    private static IEnumerable<string> Names(List<string?>? names) =>
        (names ?? []).Select((name, i) => name ?? throw ApiException.BadRequest($"mentionNames[{i}]: must be a string")).Distinct();

    private static IEnumerable<Guid> Ids(List<string?>? ids, FieldErrors errors) =>
        (ids ?? []).Select((id, i) => errors.Id($"additionalAgents[{i}]", id ?? throw ApiException.BadRequest($"additionalAgents[{i}]: must be a string"))).OfType<Guid>().Distinct();
}

/// <summary>How an agent behaves in threads of several people.</summary>
public sealed record MultiplayerResponse
{
    /// <summary>False: the agent answers every message of a multiplayer thread.</summary>
    public required bool Enabled { get; init; }
    /// <summary><c>mention</c> or <c>always</c>.</summary>
    public required string RespondMode { get; init; }
    /// <summary>Extra handles.</summary>
    public required IReadOnlyList<string> MentionNames { get; init; }
    /// <summary>Other agents that can be called by their handles; deleted ones are left out.</summary>
    public required IReadOnlyList<Guid> AdditionalAgents { get; init; }
    /// <summary>Whether user messages reach the model as <c>Name: text</c>.</summary>
    public required bool IncludeSenderNames { get; init; }
    /// <summary>People in one thread.</summary>
    public required int MaxParticipants { get; init; }
    /// <summary>The agent's own handle, made of its name; read-only.</summary>
    public required string Handle { get; init; }
    /// <summary>Time of the last change, UTC; null when never saved.</summary>
    public required DateTime? UpdatedAt { get; init; }

    internal static MultiplayerResponse From(string agentName, MultiplayerConfig config, DateTime? updatedAt) => new()
    {
        Enabled = config.Enabled,
        RespondMode = config.RespondMode,
        MentionNames = config.MentionNames,
        AdditionalAgents = config.AdditionalAgents,
        IncludeSenderNames = config.IncludeSenderNames,
        MaxParticipants = config.MaxParticipants,
        Handle = AgentHandle.Of(agentName),
        UpdatedAt = updatedAt,
    };
}
