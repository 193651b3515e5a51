using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Plans;

internal static class PlanStatuses
{
    public const string Draft = "draft", Approved = "approved", InProgress = "in_progress", Completed = "completed", Cancelled = "cancelled";

    public static readonly string[] Open = [Draft, Approved, InProgress];
}

/// <summary>What an agent means to do in a thread. Its todos are rows of their own; whoever changes any of them goes through <see cref="PlanStore"/>, one after another.</summary>
internal sealed class Plan : ITenantRow
{
    public const int MaxTitle = 300, MaxDescription = 10_000;

    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid ThreadId { get; init; }

    /// <summary>Whose plan it is; in a thread of several agents not always the thread's own.</summary>
    public required Guid AgentId { get; init; }

    public required string Title { get; set; }
    public string? Description { get; set; }

    /// <summary>One of <see cref="PlanStatuses"/>.</summary>
    public required string Status { get; set; }

    public DateTime? ApprovedAt { get; set; }

    /// <summary>An account, or <c>key</c>; null when no approval was asked for.</summary>
    public string? ApprovedBy { get; set; }

    /// <summary>Counts the changes. Raising it locks the row, which is where changes of one plan meet.</summary>
    public int Version { get; set; } = 1;

    public required DateTime CreatedAt { get; init; }
    public required DateTime UpdatedAt { get; set; }

    public bool IsClosed => Status is PlanStatuses.Completed or PlanStatuses.Cancelled;

    /// <summary>Goes to another status, as far as the contract lets somebody choose it. 409 otherwise.</summary>
    public void MoveTo(string status, string? by, DateTime now)
    {
        if (status == Status) return;
        var allowed = Status switch
        {
            PlanStatuses.Draft => status is PlanStatuses.Approved or PlanStatuses.Cancelled,
            PlanStatuses.Approved => status is PlanStatuses.InProgress or PlanStatuses.Cancelled,
            PlanStatuses.InProgress => status is PlanStatuses.Completed or PlanStatuses.Cancelled,
            _ => status is PlanStatuses.Approved,
        };
        if (!allowed) throw ApiException.Conflict($"a plan that is {Status} cannot become {status}");
        Status = status;
        if (status == PlanStatuses.Approved) Approve(by, now);
    }

    public void Approve(string? by, DateTime now) => (ApprovedAt, ApprovedBy) = (now, by);
}

internal sealed class PlanMapping : IEntityTypeConfiguration<Plan>
{
    public void Configure(EntityTypeBuilder<Plan> builder)
    {
        builder.ToTable("plans");
        builder.HasIndex(p => new { p.ThreadId, p.CreatedAt });
        builder.HasIndex(p => new { p.OrgId, p.CreatedAt });
    }
}
