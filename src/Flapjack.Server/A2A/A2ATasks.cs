using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.JsonRpc;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.A2A;

/// <summary>Opens, finds and ends the tasks of one agent.</summary>
internal sealed class A2ATasks(GuestTurns guests, TurnStops stops, TurnStreams streams, Databases databases, CallerContext access)
{
    /// <summary>Brings a message to its turn.</summary>
    public async Task<OpenedTurn> OpenAsync(Guid agentId, A2AMessage message, ClientConnection client)
    {
        var context = message.ContextId;
        if (message.TaskId is { } taskId)
        {
            var task = await FindTurnAsync(agentId, taskId, client.Left);
            if (context is { } named && named != task.ThreadId) throw new JsonRpcException(JsonRpcErrors.InvalidParams, "message.taskId: belongs to another context");
            // Only a task that waits for its user takes another message; what follows it is a task of its own in the same context.
            if (A2AStates.Of(task) is not (A2AStates.InputRequired or A2AStates.AuthRequired) and var state) throw new JsonRpcException(state == A2AStates.Working ? A2AErrors.UnsupportedOperation : JsonRpcErrors.InvalidParams, $"message.taskId: the task is {state}");
            context = task.ThreadId;
        }
        return context is { } threadId
            ? await guests.ContinueAsync(threadId, agentId, "message.contextId", message.Draft, client)
            : await guests.BeginAsync(new(agentId, new(null, ThreadKinds.Single, null, null, "[]", access.UserId, "{}"), message.Draft, null), client);
    }

    /// <summary>A task as it stands.</summary>
    public async Task<A2ATask> ReadAsync(Guid agentId, Guid taskId, int? historyLength, CancellationToken cancellationToken)
    {
        var turn = await FindTurnAsync(agentId, taskId, cancellationToken);
        await using var db = databases.Open(access);
        var messages = await db.Messages.AsNoTracking().Where(m => m.ThreadId == turn.ThreadId && m.TurnId == taskId && (m.Role == MessageRoles.User || m.Role == MessageRoles.Assistant)).OrderBy(m => m.Seq).ToListAsync(cancellationToken);
        return A2ATask.From(turn, messages, historyLength);
    }

    /// <summary>Stops a task.</summary>
    public async Task<A2ATask> CancelAsync(Guid agentId, Guid taskId, CancellationToken cancellationToken)
    {
        var turn = await FindTurnAsync(agentId, taskId, cancellationToken);
        var state = A2AStates.Of(turn);
        if (state is not (A2AStates.Working or A2AStates.InputRequired)) throw new JsonRpcException(A2AErrors.TaskNotCancelable, $"Task cannot be canceled: it is {state}");
        ConversationThread thread;
        await using (var db = databases.Open(access)) thread = await db.FindThreadAsync(access, turn.ThreadId, cancellationToken);
        if (thread.ActiveTurnId == taskId || thread.PendingTurnId == taskId) await stops.StopAsync(thread, cancellationToken);
        return await ReadAsync(agentId, taskId, 0, cancellationToken);
    }

    /// <summary>The events of a task; null when it is over and they are forgotten.</summary>
    public async Task<FoundStream?> FindStreamAsync(Guid agentId, Guid taskId, CancellationToken cancellationToken)
    {
        var turn = await FindTurnAsync(agentId, taskId, cancellationToken);
        return await streams.FindAsync(taskId, turn.OrgId, StreamPick.Latest, cancellationToken);
    }

    public static Guid IdOf(JsonElement parameters) => Guid.TryParseExact(parameters.Text("id"), "D", out var id) ? id : throw A2AErrors.NoTask();

    private async Task<Turn> FindTurnAsync(Guid agentId, Guid taskId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(access);
        var visible = db.VisibleThreads(access).Where(t => t.AgentId == agentId).Select(t => t.Id);
        return await db.Turns.AsNoTracking().FirstOrDefaultAsync(t => t.Id == taskId && visible.Contains(t.ThreadId), cancellationToken) ?? throw A2AErrors.NoTask();
    }
}
