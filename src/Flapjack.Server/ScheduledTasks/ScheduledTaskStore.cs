using Flapjack.Runtime.Tools;
using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.ScheduledTasks;

/// <summary>Who makes, sees and changes tasks of an agent.</summary>
/// <param name="OrgId">The organisation.</param>
/// <param name="AgentId">Whose tasks.</param>
/// <param name="UserId">For whom they act; null when unknown.</param>
/// <param name="SeesAll">False: they reach the tasks of this user and those of nobody.</param>
/// <param name="Kind">As <see cref="ScheduledTask.CreatedBy"/> has it.</param>
/// <param name="Names">How they spell fields.</param>
internal sealed record TaskAuthor(Guid OrgId, Guid AgentId, string? UserId, bool SeesAll, string Kind, TaskNames Names)
{
    public static TaskAuthor Of(CallerContext access, Guid agentId) =>
        new(access.OrgId, agentId, access.UserId, access.SeesWholeOrg, access.Caller.Kind == CallerKind.User ? "user" : "key", TaskNames.Wire);

    public static TaskAuthor Of(ToolCaller caller) => new(caller.OrgId, caller.AgentId!.Value, caller.UserId, false, "agent", TaskNames.Tool);

    public IQueryable<ScheduledTask> TasksIn(FlapjackDb db) => db.ScheduledTasks.Where(t => t.AgentId == AgentId && (SeesAll || t.UserId == null || t.UserId == UserId));
}

/// <summary>Makes, changes and lists tasks, for clients and for turns alike. Changes of one agent's tasks come one after another, on every node, since each counts the others.</summary>
internal sealed class ScheduledTaskStore(Databases databases, AgentConfigs configs, TimeProvider time)
{
    /// <summary>Active and paused ones together.</summary>
    private const int MaxKept = 1_000;

    /// <summary>Makes a task. 409 when the agent may have none, or no more.</summary>
    public async Task<ScheduledTask> CreateAsync(TaskAuthor author, ScheduledTaskRequest request, Guid? thread, CancellationToken cancellationToken)
    {
        var (config, now) = (await ConfigAsync(author, cancellationToken), time.Now());
        var task = new ScheduledTask { Id = Ids.New(), OrgId = author.OrgId, AgentId = author.AgentId, ThreadId = thread, CreatedBy = author.Kind, UserId = author.UserId, CreatedAt = now, UpdatedAt = now };
        new TaskFields(config, author.Names, now).Apply(task, request, isNew: true);
        await using var db = databases.Open(author.OrgId);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await RequireRoomAsync(db, await LockAsync(db, author, cancellationToken), config, cancellationToken);
        db.ScheduledTasks.Add(task);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return task;
    }

    /// <summary>Changes what was sent. 404 when the task is gone, 409 when it cannot become active.</summary>
    public async Task<ScheduledTask> ChangeAsync(TaskAuthor author, Guid taskId, ScheduledTaskRequest request, Optional<Guid?> thread, CancellationToken cancellationToken)
    {
        var config = await ConfigAsync(author, cancellationToken);
        await using var db = databases.Open(author.OrgId);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var agent = await LockAsync(db, author, cancellationToken);
        var now = time.Now();
        // Keeps the row: an occurrence that is carried out this moment comes before the change or after it.
        await author.TasksIn(db).Where(t => t.Id == taskId).ExecuteUpdateAsync(rows => rows.SetProperty(t => t.UpdatedAt, now), cancellationToken);
        var task = await author.TasksIn(db).FirstOrDefaultAsync(t => t.Id == taskId, cancellationToken) ?? throw ApiException.NotFound("Task");
        var before = task.Status;
        if (thread.IsSet) task.ThreadId = thread.Value;
        new TaskFields(config, author.Names, now).Apply(task, request, isNew: false);
        if (task.Status == TaskStatuses.Active && before != TaskStatuses.Active) await RequireRoomAsync(db, agent, config, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return task;
    }

    /// <summary>Removes a task; a turn of it that runs goes on. 404 when it is gone.</summary>
    public async Task RemoveAsync(TaskAuthor author, Guid taskId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(author.OrgId);
        if (await author.TasksIn(db).Where(t => t.Id == taskId).ExecuteDeleteAsync(cancellationToken) == 0) throw ApiException.NotFound("Task");
    }

    /// <summary>Tasks of these statuses, newest first.</summary>
    public async Task<List<ScheduledTask>> ListAsync(TaskAuthor author, IReadOnlyCollection<string> statuses, int most, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(author.OrgId);
        return await author.TasksIn(db).AsNoTracking().Where(t => statuses.Contains(t.Status)).OrderByDescending(t => t.CreatedAt).ThenByDescending(t => t.Id).Take(most).ToListAsync(cancellationToken);
    }

    /// <summary>Active and paused tasks, newest first.</summary>
    public Task<List<ScheduledTask>> ListOpenAsync(TaskAuthor author, CancellationToken cancellationToken) => ListAsync(author, [TaskStatuses.Active, TaskStatuses.Paused], MaxKept, cancellationToken);

    /// <summary>Pauses the active tasks of an agent in the caller's transaction.</summary>
    public static Task PauseAllAsync(FlapjackDb db, Guid agentId, DateTime now, CancellationToken cancellationToken) =>
        db.ScheduledTasks.Where(t => t.AgentId == agentId && t.Status == TaskStatuses.Active).ExecuteUpdateAsync(rows => rows
            .SetProperty(t => t.Status, TaskStatuses.Paused).SetProperty(t => t.NextRunAt, (DateTime?)null).SetProperty(t => t.DueAt, (DateTime?)null).SetProperty(t => t.UpdatedAt, now), cancellationToken);

    private async Task<ScheduledTasksConfig> ConfigAsync(TaskAuthor author, CancellationToken cancellationToken) =>
        (await configs.ReadAsync<ScheduledTasksConfig>(author.OrgId, author.AgentId, cancellationToken)).Value;

    // Whoever switches tasks off, or deletes the agent, changes this row too.
    private static async Task<Agent> LockAsync(FlapjackDb db, TaskAuthor author, CancellationToken cancellationToken)
    {
        await db.Agents.Where(a => a.Id == author.AgentId).ExecuteUpdateAsync(rows => rows.SetProperty(a => a.Equipment, a => a.Equipment), cancellationToken);
        return await db.Agents.AsNoTracking().FindAliveAsync(author.AgentId, cancellationToken);
    }

    private static async Task RequireRoomAsync(FlapjackDb db, Agent agent, ScheduledTasksConfig config, CancellationToken cancellationToken)
    {
        if (!agent.ScheduledTasksEnabled) throw ApiException.Conflict("scheduled tasks are switched off for this agent");
        var counts = await db.ScheduledTasks.Where(t => t.AgentId == agent.Id && (t.Status == TaskStatuses.Active || t.Status == TaskStatuses.Paused)).GroupBy(t => t.Status).Select(g => new { Status = g.Key, Count = g.Count() }).ToListAsync(cancellationToken);
        if (counts.Find(c => c.Status == TaskStatuses.Active)?.Count >= config.MaxActive) throw ApiException.Conflict($"the agent has {config.MaxActive} active tasks, the most it may have");
        if (counts.Sum(c => c.Count) >= MaxKept) throw ApiException.Conflict($"the agent has {MaxKept} active and paused tasks, the most there may be");
    }
}
