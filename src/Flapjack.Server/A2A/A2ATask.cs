using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.A2A;

/// <summary>A turn as other agents see it: the task is the turn, its context the thread, its artifact the answer.</summary>
internal sealed record A2ATask(string Id, string ContextId, A2AStatus Status)
{
    public const string Answer = "answer";

    public string Kind { get; } = "task";
    public IReadOnlyList<object>? Artifacts { get; init; }
    public IReadOnlyList<object>? History { get; init; }

    public static IReadOnlyList<object>? ArtifactsOf(string text) => text.Length == 0 ? null : [ArtifactOf(text)];

    public static object ArtifactOf(string text) => new { artifactId = Answer, name = Answer, parts = new[] { TextPart(text) } };

    public static object MessageOf(string role, string id, string text, string taskId, string contextId) =>
        new { kind = "message", role, messageId = id, parts = new[] { TextPart(text) }, taskId, contextId };

    /// <summary>A turn from its rows.</summary>
    /// <param name="turn">The turn.</param>
    /// <param name="messages">Its messages in order.</param>
    /// <param name="historyLength">How many of them to show; null = all.</param>
    public static A2ATask From(Turn turn, IReadOnlyList<Message> messages, int? historyLength)
    {
        var (id, context) = (turn.Id.ToString(), turn.ThreadId.ToString());
        var text = turn.ToldOf(string.Join("\n\n", messages.Where(m => m.Role == MessageRoles.Assistant && m.Content.Length > 0).Select(m => m.Content)));
        var shown = messages.TakeLast(historyLength ?? int.MaxValue).Select(m => MessageOf(m.Role == MessageRoles.User ? "user" : "agent", m.Id.ToString(), m.Content, id, context)).ToList();
        var state = A2AStates.Of(turn);
        return new(id, context, A2AStatus.Of(state, turn.EndedAt ?? turn.StartedAt, id, context, turn.Error)) { Artifacts = ArtifactsOf(text), History = shown.Count == 0 ? null : shown };
    }

    private static object TextPart(string text) => new { kind = "text", text };
}

/// <summary>How a task stands.</summary>
internal sealed record A2AStatus(string State, string Timestamp, object? Message)
{
    public static A2AStatus Of(string state, DateTime at, string taskId, string contextId, string? saying) =>
        new(state, WireTime.Format(at), saying is null ? null : A2ATask.MessageOf("agent", $"{taskId}-status", saying, taskId, contextId));
}

/// <summary>States of the protocol.</summary>
internal static class A2AStates
{
    public const string Working = "working", Completed = "completed", Canceled = "canceled", Failed = "failed", InputRequired = "input-required", AuthRequired = "auth-required";

    public static string Of(Turn turn) => turn.Status switch
    {
        TurnStatuses.Running => Working,
        TurnStatuses.Awaiting => InputRequired,
        TurnStatuses.Stopped => Canceled,
        TurnStatuses.Done => OfFinish(turn.FinishReason),
        _ => Failed,
    };

    public static string OfFinish(string? reason) => reason switch
    {
        "auth_challenge" => AuthRequired,
        "stopped" => Canceled,
        _ => Completed,
    };

    public static bool IsOver(string state) => state is Completed or Canceled or Failed;

    /// <summary>What the user has to do before the task can go on.</summary>
    public static string? Saying(IReadOnlyList<JsonElement> challenges) => challenges.Count == 0 ? null
        : "Permission is needed. " + string.Join(" ", challenges.Select(c => $"{c.Text("description") ?? c.Text("provider")}: {c.Text("redirectUrl")}"));
}
