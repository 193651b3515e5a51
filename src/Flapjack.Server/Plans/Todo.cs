using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Plans;

internal static class TodoStatuses
{
    public const string Pending = "pending", InProgress = "in_progress", Done = "done", Skipped = "skipped";

    public static bool IsClosed(string status) => status is Done or Skipped;

    /// <summary>The spelling used here of one that is accepted; anything else as it is.</summary>
    public static string Normalise(string status) => status switch
    {
        "in-progress" => InProgress,
        "completed" => Done,
        _ => status,
    };
}

/// <summary>One thing to do of a plan. A todo with children is what they make together: its status follows theirs.</summary>
internal sealed class Todo : ITenantRow
{
    public const int MaxContent = 2_000, MaxNote = 4_000;

    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid PlanId { get; init; }
    public Guid? ParentId { get; set; }

    /// <summary>Among its siblings, from 0 without gaps.</summary>
    public required int Position { get; set; }

    public required string Content { get; set; }

    /// <summary>One of <see cref="TodoStatuses"/>.</summary>
    public string Status { get; private set; } = TodoStatuses.Pending;

    public string? Note { get; set; }
    public DateTime? StartedAt { get; private set; }
    public DateTime? FinishedAt { get; private set; }
    public required DateTime CreatedAt { get; init; }
    public required DateTime UpdatedAt { get; set; }

    public bool IsClosed => TodoStatuses.IsClosed(Status);

    /// <summary>Takes a status, with the times that go with it.</summary>
    public void Become(string status, DateTime now)
    {
        if (status == Status) return;
        Status = status;
        if (status == TodoStatuses.Pending) StartedAt = null;
        if (status is TodoStatuses.InProgress or TodoStatuses.Done) StartedAt ??= now;
        FinishedAt = IsClosed ? now : null;
        UpdatedAt = now;
    }
}

/// <summary>A todo that has to wait for another one of the same plan.</summary>
internal sealed class TodoDependency : ITenantRow
{
    public required Guid OrgId { get; init; }
    public required Guid PlanId { get; init; }

    /// <summary>The one that waits.</summary>
    public required Guid TodoId { get; init; }

    /// <summary>The one it waits for.</summary>
    public required Guid DependsOnId { get; init; }

    public required DateTime CreatedAt { get; init; }
}

internal sealed class TodoMapping : IEntityTypeConfiguration<Todo>
{
    public void Configure(EntityTypeBuilder<Todo> builder)
    {
        builder.ToTable("todos");
        builder.HasIndex(t => t.PlanId);
    }
}

internal sealed class TodoDependencyMapping : IEntityTypeConfiguration<TodoDependency>
{
    public void Configure(EntityTypeBuilder<TodoDependency> builder)
    {
        builder.ToTable("todo_dependencies");
        builder.HasKey(d => new { d.TodoId, d.DependsOnId });
        builder.HasIndex(d => d.PlanId);
    }
}
