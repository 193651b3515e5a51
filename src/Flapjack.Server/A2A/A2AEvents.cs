using System.Buffers;
using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.JsonRpc;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Streams;

namespace Flapjack.Server.A2A;

/// <summary>The events of a turn as updates of a task: the task first, text as pieces of its artifact, and its last state.</summary>
/// <param name="live">The turn.</param>
/// <param name="id">The request they answer.</param>
/// <param name="time">The clock.</param>
/// <param name="known">How many events the task as it is told first includes; whoever comes back is told what there is in one piece.</param>
internal sealed class A2AEvents(LiveTurn live, JsonElement id, int known, TimeProvider time) : IEventTranslation
{
    private readonly AnswerSoFar _answer = new(live);
    private readonly List<JsonElement> _challenges = [];
    private readonly string _task = live.TurnId.ToString(), _context = live.ThreadId.ToString();
    private int _count;
    private bool _saidText;

    public void Write(string type, ReadOnlyMemory<byte> data, IBufferWriter<byte> output)
    {
        var delta = _answer.Take(type, data);
        if (type == "auth_challenge") _challenges.Add(JsonElement.Parse(data.Span).GetProperty("challenge"));
        if (++_count < known) return;
        if (_count == known) WriteTask(output);
        else if (delta is { Length: > 0 }) WriteText(output, delta);
        else if (type == "tool_executing") WriteStatus(output, A2AStates.Working, $"Calling {JsonElement.Parse(data.Span).Text("tool_name")}", final: false);
        else if (State is not A2AStates.Working and var state) WriteStatus(output, state, Saying, final: true);
    }

    private string State => _answer switch
    {
        { Failure: not null } => A2AStates.Failed,
        { FinishReason: { } reason } => A2AStates.OfFinish(reason),
        { Calls.Count: > 0 } => A2AStates.InputRequired,
        _ => A2AStates.Working,
    };

    private string? Saying => _answer.Failure is { } failure ? failure.Detail is { } detail ? $"{failure.Code}: {detail}" : failure.Code : A2AStates.Saying(_challenges);

    private DateTime Now => Platform.Clock.Truncate(time.GetUtcNow().UtcDateTime);

    private void WriteTask(IBufferWriter<byte> output)
    {
        _saidText = _answer.Text.Length > 0;
        Send(output, new A2ATask(_task, _context, A2AStatus.Of(State, Now, _task, _context, Saying)) { Artifacts = A2ATask.ArtifactsOf(_answer.Text) });
    }

    private void WriteText(IBufferWriter<byte> output, string delta)
    {
        Send(output, new { kind = "artifact-update", taskId = _task, contextId = _context, artifact = A2ATask.ArtifactOf(delta), append = _saidText, lastChunk = false });
        _saidText = true;
    }

    private void WriteStatus(IBufferWriter<byte> output, string state, string? saying, bool final) =>
        Send(output, new { kind = "status-update", taskId = _task, contextId = _context, status = A2AStatus.Of(state, Now, _task, _context, saying), final });

    private void Send(IBufferWriter<byte> output, object result) => JsonRpcText.WriteEvent(output, json => JsonRpcText.WriteResult(json, id, result));
}
