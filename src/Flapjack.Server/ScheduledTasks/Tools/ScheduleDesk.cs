using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.ScheduledTasks.Tools;

/// <summary>Carries out the tools of one turn. A model reaches the tasks of its own agent that are the user's or nobody's.</summary>
internal sealed class ScheduleDesk(ScheduledTaskStore tasks, Databases databases, TimeProvider time)
{
    private const int MostListed = 100;

    public async ValueTask<object?> ScheduleAsync(ToolInput input, CancellationToken cancellationToken)
    {
        var author = TaskAuthor.Of(input.Context.Caller);
        var request = Read(input);
        var thread = input.Json("same_thread") is { ValueKind: JsonValueKind.False } ? null : await ThisThreadAsync(input.Context.Caller, cancellationToken);
        return Told(ScheduledTaskResponse.From(await TryAsync(() => tasks.CreateAsync(author, request, thread, cancellationToken))));
    }

    public async ValueTask<object?> ListAsync(ToolInput input, CancellationToken cancellationToken)
    {
        string[] statuses = input.Text("status") is { } status ? [status] : [TaskStatuses.Active, TaskStatuses.Paused];
        var found = await tasks.ListAsync(TaskAuthor.Of(input.Context.Caller), statuses, MostListed, cancellationToken);
        return Told(new { Now = time.Now(), Tasks = found.ConvertAll(ScheduledTaskResponse.From) });
    }

    public async ValueTask<object?> UpdateAsync(ToolInput input, CancellationToken cancellationToken)
    {
        var (author, id, request) = (TaskAuthor.Of(input.Context.Caller), input.Id("task_id")!.Value, Read(input));
        Optional<Guid?> thread = input.Json("same_thread") is not { } same ? default : new(same.GetBoolean() ? await ThisThreadAsync(input.Context.Caller, cancellationToken) : null);
        return Told(ScheduledTaskResponse.From(await TryAsync(() => tasks.ChangeAsync(author, id, request, thread, cancellationToken))));
    }

    public async ValueTask<object?> CancelAsync(ToolInput input, CancellationToken cancellationToken)
    {
        var id = input.Id("task_id")!.Value;
        await TryAsync(async () =>
        {
            await tasks.RemoveAsync(TaskAuthor.Of(input.Context.Caller), id, cancellationToken);
            return id;
        });
        return Told(new { Id = id, Cancelled = true });
    }

    private ScheduledTaskRequest Read(ToolInput input)
    {
        if (input.Text("run_at") is not null && input.Json("in_minutes") is not null) throw new ToolException(ToolErrors.InvalidArguments, "exactly one of run_at, in_minutes, cron and every_minutes is needed");
        return new()
        {
            Prompt = Sent(input, "prompt"),
            Title = Sent(input, "title"),
            RunAt = input.Json("in_minutes") is null ? Sent(input, "run_at") : WireTime.Format(In(input.Number("in_minutes")!.Value)),
            CronExpression = Sent(input, "cron"),
            EveryMinutes = input.Json("every_minutes") is null ? default : new Optional<int?>(input.Number("every_minutes")),
            Timezone = Sent(input, "timezone"),
            Status = Sent(input, "status"),
        };
    }

    private DateTime In(int minutes) => minutes is >= 1 and <= ScheduledTask.MaxEveryMinutes ? time.Now().AddMinutes(minutes)
        : throw new ToolException(ToolErrors.InvalidArguments, $"in_minutes: must be from 1 to {ScheduledTask.MaxEveryMinutes}");

    private static Optional<string> Sent(ToolInput input, string name) => input.Text(name) is { } text ? new(text) : default;

    // A conversation that is cleared away is no place for what comes later.
    private async Task<Guid?> ThisThreadAsync(ToolCaller caller, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(caller.OrgId);
        return await db.Threads.Where(t => t.Id == caller.ThreadId && !t.Hidden).Select(t => (Guid?)t.Id).FirstOrDefaultAsync(cancellationToken);
    }

    private static JsonElement Told(object result) => JsonSerializer.SerializeToElement(result, WireJson.Responses);

    // The rules refuse as they do towards clients; a model is told by the codes of tools.
    private static async Task<T> TryAsync<T>(Func<Task<T>> change)
    {
        try
        {
            return await change();
        }
        catch (ApiException refusal)
        {
            throw new ToolException(refusal.Status switch { 404 => ToolErrors.NotFound, 409 => ToolErrors.Conflict, _ => ToolErrors.InvalidArguments }, refusal.Detail, refusal);
        }
    }
}
