using Flapjack.Server.Platform.Http;
using Flapjack.Server.ScheduledTasks.Times;

namespace Flapjack.Server.ScheduledTasks;

/// <summary>What the fields that say when are called: clients and models spell them differently.</summary>
internal sealed record TaskNames(string RunAt, string Cron, string Every)
{
    public static readonly TaskNames Wire = new("runAt", "cronExpression", "everyMinutes");
    public static readonly TaskNames Tool = new("run_at", "cron", "every_minutes");
}

/// <summary>Applies a request to a task and collects its faults. A task with faults is half changed and must not be saved.</summary>
internal sealed class TaskFields(ScheduledTasksConfig config, TaskNames names, DateTime now)
{
    public const string NoZone = "is not the IANA name of a time zone, such as Europe/Oslo";

    private const int MaxCron = 200;

    /// <summary>Changes what was sent. Throws 422 with every fault.</summary>
    /// <param name="task">A stored task, or a new one without prompt and schedule.</param>
    /// <param name="request">What was sent; its thread is the caller's to find.</param>
    /// <param name="isNew">Whether prompt and schedule are required.</param>
    public void Apply(ScheduledTask task, ScheduledTaskRequest request, bool isNew)
    {
        var errors = new FieldErrors();
        if (isNew || request.Prompt.IsSet) errors.Required("prompt", request.Prompt.Value, ScheduledTask.MaxPrompt);
        errors.Text("title", request.Title.Value, ScheduledTask.MaxTitle);
        if (!isNew) errors.OneOf("status", request.Status.Value, TaskStatuses.Active, TaskStatuses.Paused);
        if (request.Prompt.Value is { } prompt) task.Prompt = prompt;
        if (request.Title.IsSet) task.Title = request.Title.Value;
        var zone = ZoneOf(task, request, isNew, errors);
        var isRescheduled = SetTimes(task, request, isNew, zone, errors) | isNew | (request.Timezone.IsSet && task.CronExpression is not null);
        errors.ThrowIfAny();
        Move(task, isNew ? null : request.Status.Value, isRescheduled);
    }

    private TimeZoneInfo? ZoneOf(ScheduledTask task, ScheduledTaskRequest request, bool isNew, FieldErrors errors)
    {
        if (isNew || request.Timezone.IsSet) task.Timezone = request.Timezone.Value ?? config.Timezone;
        var zone = LocalTimes.Zone(task.Timezone);
        if (zone is null) errors.Add("timezone", NoZone);
        return zone;
    }

    // True when the task has another time now.
    private bool SetTimes(ScheduledTask task, ScheduledTaskRequest request, bool isNew, TimeZoneInfo? zone, FieldErrors errors)
    {
        var (once, cron, every) = (request.RunAt.Value, request.CronExpression.Value, request.EveryMinutes.Value);
        var given = (once is null ? 0 : 1) + (cron is null ? 0 : 1) + (every is null ? 0 : 1);
        if (given == 0 && !isNew && !Clears(task, request)) return false;
        if (given != 1)
        {
            errors.Add(names.RunAt, $"exactly one of {names.RunAt}, {names.Cron} and {names.Every} is needed");
            return false;
        }
        (task.RunAt, task.CronExpression, task.EveryMinutes) = (once is null ? null : Once(once, zone, errors), cron is null ? null : Cron(cron, errors), every);
        if (every is { } minutes)
        {
            errors.Range(names.Every, minutes, 1, ScheduledTask.MaxEveryMinutes);
            if (minutes > 0) RequireInterval(names.Every, minutes, errors);
        }
        return true;
    }

    private static bool Clears(ScheduledTask task, ScheduledTaskRequest request) =>
        request.RunAt.IsSet && task.RunAt is not null || request.CronExpression.IsSet && task.CronExpression is not null || request.EveryMinutes.IsSet && task.EveryMinutes is not null;

    private DateTime? Once(string text, TimeZoneInfo? zone, FieldErrors errors)
    {
        var time = LocalTimes.Read(text, zone ?? TimeZoneInfo.Utc);
        if (time is null) errors.Add(names.RunAt, "is not an ISO 8601 time");
        else if (time <= now) errors.Add(names.RunAt, "has passed");
        return time;
    }

    private string? Cron(string text, FieldErrors errors)
    {
        if (text.Length > MaxCron) errors.Add(names.Cron, $"has more than {MaxCron} characters");
        else if (CronExpression.TryParse(text, out var fault) is not { } cron) errors.Add(names.Cron, fault);
        else RequireInterval(names.Cron, cron.ShortestInterval().TotalMinutes, errors);
        return text;
    }

    private void RequireInterval(string field, double minutes, FieldErrors errors)
    {
        if (minutes < config.MinIntervalMinutes) errors.Add(field, $"the agent's tasks come at most every {config.MinIntervalMinutes} minutes");
    }

    private void Move(ScheduledTask task, string? status, bool isRescheduled)
    {
        if (status == TaskStatuses.Paused)
        {
            task.Pause();
            return;
        }
        var wakes = status == TaskStatuses.Active && task.Status != TaskStatuses.Active;
        if (wakes) task.Activate();
        if (task.Status != TaskStatuses.Active || !wakes && !isRescheduled) return;
        task.Await(task.Schedule!.First(now));
        if (task.NextRunAt is null) throw ApiException.Invalid(task.RunAt is null ? names.Cron : names.RunAt, "has passed");
    }
}
