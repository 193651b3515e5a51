using System.Text;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.OpenAICompat;

/// <summary>Puts a conversation together from the messages of a request, and checks that calls and results belong together as models insist.</summary>
/// <param name="list">What the request calls the conversation.</param>
/// <param name="knownThread">True when a thread knows the history: results may then answer calls that are not repeated here.</param>
/// <param name="errors">Where faults go.</param>
internal sealed class ConversationReader(string list, bool knownThread, FieldErrors errors)
{
    private const int InstructionLimit = 50_000, FileLimit = 100, ResultLimit = 1024 * 1024;
    private readonly List<PastMessage> _said = [];
    private readonly StringBuilder _instructions = new();
    private readonly Dictionary<string, TurnCall> _open = new(StringComparer.Ordinal);

    public void Instruct(string field, string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return;
        if (_instructions.Length > 0) _instructions.Append("\n\n");
        _instructions.Append(text);
        if (_instructions.Length > InstructionLimit) errors.Add(field, $"all instructions together have more than {InstructionLimit} characters");
    }

    public void Ask(string field, MessageContent content, string? name)
    {
        ExpectNoOpenCalls(field);
        var text = content.Text;
        errors.Text(field, text, MessageDraft.ContentLimit);
        errors.Text($"{field}.name", name, 200);
        if (!string.IsNullOrWhiteSpace(text) || content.Files.Count > 0) _said.Add(new(MessageRoles.User, text) { SenderName = name, Attachments = content.Files });
    }

    public void Answer(string field, string text, IReadOnlyList<TurnCall> calls)
    {
        ExpectNoOpenCalls(field);
        // Models refuse an empty answer in a history.
        if (text.Length > 0 && calls.Count == 0) _said.Add(new(MessageRoles.Assistant, text));
        if (calls.Count == 0) return;
        _said.Add(new(MessageRoles.Step, text) { Calls = calls });
        foreach (var call in calls) Open(field, call);
    }

    /// <summary>A call that stands by itself: it belongs to the answer right before it, or to the calls right before it.</summary>
    public void Call(string field, TurnCall call)
    {
        if (_said is [.., { Role: MessageRoles.Step or MessageRoles.Assistant } last])
        {
            _said[^1] = new(MessageRoles.Step, last.Text) { Calls = [.. last.Calls, call] };
            Open(field, call);
        }
        else
        {
            Answer(field, "", [call]);
        }
    }

    public void Result(string field, string callId, string text)
    {
        if (text.Length > ResultLimit) errors.Add(field, "has more than 1 MB");
        if (!_open.Remove(callId, out var call))
        {
            if (!knownThread || _said.Exists(m => m.Answers?.Id == callId)) errors.Add(field, $"answers the call '{callId}', which is not open");
            call = new(callId, "", "{}", true);
        }
        _said.Add(new(MessageRoles.Tool, text.Replace('\0', '\uFFFD')) { Answers = call });
    }

    public Conversation Build()
    {
        if (errors.Count == 0 && _said.Count == 0) errors.Add(list, "needs a message from the user");
        if (_said.Sum(message => message.Attachments.Count) > FileLimit) errors.Add(list, $"has more than {FileLimit} images and files; a thread keeps them, so that they are sent once");
        return new(list, _instructions.Length == 0 ? null : _instructions.ToString(), _said);
    }

    private void Open(string field, TurnCall call)
    {
        if (string.IsNullOrEmpty(call.Id) || string.IsNullOrEmpty(call.Name)) errors.Add(field, "a tool call needs an id and a name");
        else if (!_open.TryAdd(call.Id, call)) errors.Add(field, $"the call id '{call.Id}' is used twice");
    }

    private void ExpectNoOpenCalls(string field)
    {
        if (_open.Count == 0) return;
        if (!knownThread) errors.Add(field, $"comes before the result of the call '{_open.Keys.First()}'");
        _open.Clear();
    }
}
