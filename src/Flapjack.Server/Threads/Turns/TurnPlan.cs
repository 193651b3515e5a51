using Flapjack.Runtime.Tools;
using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Compaction;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Threads.Multiplayer;

namespace Flapjack.Server.Threads.Turns;

/// <summary>All a turn needs to know, settled before its first byte: any fault found here is an ordinary error answer.</summary>
internal sealed record TurnPlan
{
    public required ConversationThread Thread { get; init; }
    public required Agent Agent { get; init; }
    public required TurnOptions Options { get; init; }
    public required ModelChoice Model { get; init; }
    public required IReadOnlyList<ModelChoice> Fallbacks { get; init; }
    public required ToolSet Tools { get; init; }
    public required ToolProfile? Profile { get; init; }

    /// <summary>For whom tools and prompt material are asked.</summary>
    public required EquipmentRequest Equipment { get; init; }

    /// <summary>Who the turn is for: the account of a user; for a key the sender the message names, else the thread's user.</summary>
    public required string? UserId { get; init; }

    /// <summary>The plan of the agent that answers after this one.</summary>
    public TurnPlan? Next { get; init; }

    /// <summary>What the agents before this one have answered.</summary>
    public FinishedLegs Finished { get; init; } = FinishedLegs.None;

    /// <summary>The handles in a message that called nobody who answers; null when somebody does.</summary>
    public IReadOnlyList<string>? Unheard { get; init; }

    /// <summary>When the conversation is summarised.</summary>
    public CompactionConfig Compaction { get; init; } = new();

    /// <summary>True for a turn inside a tool call: its spans, tokens and cost belong to the turn that made the call.</summary>
    public bool IsNested => Options.Delegation is not null;

    /// <summary>How the agent is called on its messages; only threads of several people need it.</summary>
    public MessageSender Speaker => Thread.IsMultiplayer ? new(Agent.Name, Agent.Id.ToString()) : default;

    /// <summary>The credential whose revocation ends the stream.</summary>
    public required Guid CredentialId { get; init; }
}

/// <summary>Makes plans.</summary>
internal sealed class TurnPlanner(ModelDirectory models, IEnumerable<IToolSource> sources, AgentConfigs configs, CallerContext access)
{
    /// <param name="thread">The thread of the turn.</param>
    /// <param name="agent">Who answers; the thread's own agent, or one that was called into it.</param>
    /// <param name="options">What the message asked for.</param>
    /// <param name="requestedProfile">The profile this very request named; null when it named none or a stored turn goes on.</param>
    /// <param name="cancellationToken">Ends the look-ups.</param>
    public async ValueTask<TurnPlan> PlanAsync(ConversationThread thread, Agent agent, TurnOptions options, string? requestedProfile, CancellationToken cancellationToken)
    {
        var profiles = AgentProfiles.All(agent.ToolProfiles);
        if (requestedProfile is not null && !profiles.Any(p => p.Name == requestedProfile)) throw ApiException.Invalid("toolProfile", "is not a key of the agent's tool profiles");
        var profile = Find(options.Profile) ?? (agent.Id == thread.AgentId ? Find(thread.ActiveProfile) : null) ?? Find(agent.DefaultProfile);
        var model = await ResolveAsync(options.Model ?? agent.DefaultModel, options.Model is null ? "defaultModel" : "modelOverride", cancellationToken);
        var fallbacks = new List<ModelChoice>(options.FallbackModels.Count);
        for (var i = 0; i < options.FallbackModels.Count; i++) fallbacks.Add(await ResolveAsync(options.FallbackModels[i], $"anthropicOverrides.fallbackModels[{i}]", cancellationToken));
        // A user acts as the account, whatever name a message carries; an application says for whom it acts.
        var userId = access.UserId ?? options.SenderId ?? thread.UserId;
        var equipment = new EquipmentRequest(thread.OrgId, agent.Id, agent.Equipment)
        {
            ThreadId = thread.Id,
            UserId = userId,
            Source = options.Source,
            Model = model.Id,
            Bindings = options.Bindings ?? thread.ResourceBindings,
            Delegation = options.Delegation,
            Overrides = options.Overrides,
        };
        return new()
        {
            Thread = thread,
            Agent = agent,
            Options = options,
            Model = model,
            Fallbacks = fallbacks,
            Equipment = equipment,
            Compaction = await configs.ForTurnAsync<CompactionConfig>(equipment, cancellationToken),
            Tools = await ToolsAsync(equipment, options, profiles, profile, cancellationToken),
            Profile = profile,
            UserId = userId,
            CredentialId = access.Credential,
        };

        ToolProfile? Find(string? name) => name is null ? null : profiles.FirstOrDefault(p => p.Name == name);
    }

    private async ValueTask<ModelChoice> ResolveAsync(string id, string field, CancellationToken cancellationToken) =>
        await models.ResolveAsync(id, cancellationToken) ?? throw ApiException.Invalid(field, $"the model '{id}' is unknown; GET /api/models lists what there is");

    private async ValueTask<ToolSet> ToolsAsync(EquipmentRequest equipment, TurnOptions options, IReadOnlyList<ToolProfile> profiles, ToolProfile? profile, CancellationToken cancellationToken)
    {
        var server = new List<TurnTool>();
        if (ProposeProfileSwitch.Create(profiles, profile?.Name) is { } propose) server.Add(propose);
        foreach (var source in sources) server.AddRange(await source.ListAsync(equipment, cancellationToken));
        if (server.Count == 0 && options.Tools.Count == 0) return ToolSet.Empty;
        for (var i = 0; i < options.Tools.Count; i++)
        {
            if (server.Exists(tool => tool.Name == options.Tools[i].Name)) throw ApiException.Invalid($"tools[{i}].name", "is the name of a tool of the agent");
        }
        return new([.. options.Tools.Select(tool => tool.ToDeclaration())], server, profile, PlanModes.Of(options.Overrides) == PlanMode.Plan);
    }
}
