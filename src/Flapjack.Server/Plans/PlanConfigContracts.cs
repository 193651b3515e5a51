using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Plans;

/// <summary>Changes the fields that are sent; <c>null</c> restores a default.</summary>
public sealed record PlanConfigRequest
{
    private static readonly PlanConfig Default = new();

    /// <summary>Offers the plan tools; default false.</summary>
    public Optional<bool?> Enabled { get; init; }
    /// <summary>New plans are drafts until somebody approves them; default true.</summary>
    public Optional<bool?> RequireApproval { get; init; }
    /// <summary>Todos of one plan, 1 to 500, default 100.</summary>
    public Optional<int?> MaxTodos { get; init; }

    internal PlanConfig ApplyTo(PlanConfig saved)
    {
        var changed = saved with
        {
            Enabled = Enabled.Over(saved.Enabled, Default.Enabled),
            RequireApproval = RequireApproval.Over(saved.RequireApproval, Default.RequireApproval),
            MaxTodos = MaxTodos.Over(saved.MaxTodos, Default.MaxTodos),
        };
        var errors = new FieldErrors();
        changed.Check(errors);
        errors.ThrowIfAny();
        return changed;
    }
}

/// <summary>Whether and how an agent plans.</summary>
/// <param name="Enabled">Offers the plan tools.</param>
/// <param name="RequireApproval">New plans are drafts until somebody approves them.</param>
/// <param name="MaxTodos">Todos of one plan.</param>
/// <param name="UpdatedAt">Time of the last change, UTC; null when never saved.</param>
public sealed record PlanConfigResponse(bool Enabled, bool RequireApproval, int MaxTodos, DateTime? UpdatedAt)
{
    internal static PlanConfigResponse From(SavedConfig<PlanConfig> saved) => new(saved.Value.Enabled, saved.Value.RequireApproval, saved.Value.MaxTodos, saved.UpdatedAt);
}
