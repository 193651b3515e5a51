using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Memory;

/// <summary>Changes the fields that are sent; <c>null</c> restores a default.</summary>
public sealed record MemoryConfigRequest
{
    private static readonly MemoryConfig Default = new();

    /// <summary>Default false.</summary>
    public Optional<bool?> Enabled { get; init; }
    /// <summary>After a turn a model looks for what is worth keeping; default false.</summary>
    public Optional<bool?> AutoCollect { get; init; }
    /// <summary>Recalled memories are put before each turn; default true.</summary>
    public Optional<bool?> AutoInject { get; init; }
    /// <summary>How many, 1 to 50, default 5.</summary>
    public Optional<int?> InjectCount { get; init; }
    /// <summary>1 to 100,000, default 1,000. When there are more, those go that were not used for longest.</summary>
    public Optional<int?> MaxMemories { get; init; }
    /// <summary>The agent may read and write memories of its own; default true.</summary>
    public Optional<bool?> AgentScope { get; init; }
    /// <summary>… memories of the thread; default true.</summary>
    public Optional<bool?> ThreadScope { get; init; }
    /// <summary>… memories of the resources that the thread is bound to; default true.</summary>
    public Optional<bool?> ResourceScope { get; init; }

    internal MemoryConfig ApplyTo(MemoryConfig saved)
    {
        var changed = saved with
        {
            Enabled = Enabled.Over(saved.Enabled, Default.Enabled),
            AutoCollect = AutoCollect.Over(saved.AutoCollect, Default.AutoCollect),
            AutoInject = AutoInject.Over(saved.AutoInject, Default.AutoInject),
            InjectCount = InjectCount.Over(saved.InjectCount, Default.InjectCount),
            MaxMemories = MaxMemories.Over(saved.MaxMemories, Default.MaxMemories),
            AgentScope = AgentScope.Over(saved.AgentScope, Default.AgentScope),
            ThreadScope = ThreadScope.Over(saved.ThreadScope, Default.ThreadScope),
            ResourceScope = ResourceScope.Over(saved.ResourceScope, Default.ResourceScope),
        };
        var errors = new FieldErrors();
        changed.Check(errors);
        errors.ThrowIfAny();
        return changed;
    }
}

/// <summary>Whether and what an agent remembers.</summary>
public sealed record MemoryConfigResponse
{
    /// <summary>Whether it remembers at all.</summary>
    public required bool Enabled { get; init; }
    /// <summary>After a turn a model looks for what is worth keeping.</summary>
    public required bool AutoCollect { get; init; }
    /// <summary>Recalled memories are put before each turn.</summary>
    public required bool AutoInject { get; init; }
    /// <summary>How many.</summary>
    public required int InjectCount { get; init; }
    /// <summary>When there are more, those go that were not used for longest.</summary>
    public required int MaxMemories { get; init; }
    /// <summary>The agent may read and write memories of its own.</summary>
    public required bool AgentScope { get; init; }
    /// <summary>… memories of the thread.</summary>
    public required bool ThreadScope { get; init; }
    /// <summary>… memories of the resources that the thread is bound to.</summary>
    public required bool ResourceScope { get; init; }
    /// <summary>How many memories the agent has now; read-only.</summary>
    public required int MemoryCount { get; init; }
    /// <summary>Time of the last change, UTC; null when never saved.</summary>
    public required DateTime? UpdatedAt { get; init; }

    internal static MemoryConfigResponse From(SavedConfig<MemoryConfig> saved, int count) => new()
    {
        Enabled = saved.Value.Enabled,
        AutoCollect = saved.Value.AutoCollect,
        AutoInject = saved.Value.AutoInject,
        InjectCount = saved.Value.InjectCount,
        MaxMemories = saved.Value.MaxMemories,
        AgentScope = saved.Value.AgentScope,
        ThreadScope = saved.Value.ThreadScope,
        ResourceScope = saved.Value.ResourceScope,
        MemoryCount = count,
        UpdatedAt = saved.UpdatedAt,
    };
}
