using System.Collections.Concurrent;
using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Prompts;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Attachments;
using Flapjack.Server.Threads.Compactions;
using Flapjack.Server.Threads.Multiplayer;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Reads a thread's messages as a model is given them. What was read stays in memory, so that a long thread costs its newest rows only.</summary>
/// <remarks>Rows of a thread are only ever appended while a turn owns it, except results of calls, and those rows are read again while their turn lasts. Hence what lies before the first unanswered call never changes.</remarks>
internal sealed class TurnHistory(ServerSettings settings)
{
    private readonly ConcurrentDictionary<HistoryView, Known> _known = new();
    private long _bytes;

    /// <summary>All messages up to <paramref name="lastSeq"/>, oldest first; those that were summarised are left out.</summary>
    /// <param name="db">Where they are read.</param>
    /// <param name="view">Whose history it is.</param>
    /// <param name="lastSeq">The newest message.</param>
    /// <param name="compactedSeq">Where the thread's newest compaction stands.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async ValueTask<ThreadPast> LoadAsync(FlapjackDb db, HistoryView view, long lastSeq, long compactedSeq, CancellationToken cancellationToken)
    {
        var known = _known.GetValueOrDefault(view);
        if (known is null || known.Seq > lastSeq) known = Known.Nothing;
        if (known.CompactedSeq != compactedSeq) known = await BehindAsync(db, view, lastSeq, compactedSeq, known, cancellationToken);
        if (known.Seq == lastSeq) return known.Past;
        var rows = await db.Messages.AsNoTracking().Where(m => m.ThreadId == view.Thread && m.Seq > known.Seq && m.Seq <= lastSeq).OrderBy(m => m.Seq).ToListAsync(cancellationToken);
        var messages = new List<ChatMessage>(known.Messages.Count + rows.Count);
        messages.AddRange(known.Messages);
        long size = known.Bytes;
        foreach (var row in rows)
        {
            Append(messages, row, view);
            // Text in memory, and once more as it was sent.
            size += 300 + 3L * (row.Content.Length + (row.ToolCalls?.Length ?? 0) + (row.Attachments?.Length ?? 0));
        }
        var complete = rows.TrueForAll(row => row.Complete);
        var loaded = known with { Messages = messages, Seq = lastSeq, Bytes = size };
        if (complete) Keep(view, loaded);
        return loaded.Past;
    }

    // What is known stays good when the newest compaction is another agent's.
    private static async Task<Known> BehindAsync(FlapjackDb db, HistoryView view, long lastSeq, long compactedSeq, Known known, CancellationToken cancellationToken)
    {
        var compaction = compactedSeq == 0 ? null
            : await db.Compactions.AsNoTracking().Where(c => c.ThreadId == view.Thread && c.AgentId == view.Agent && c.Seq <= lastSeq).OrderByDescending(c => c.Seq).FirstOrDefaultAsync(cancellationToken);
        // A compaction beyond the messages that are asked for is looked for again when more are.
        var seen = compactedSeq <= lastSeq ? compactedSeq : -1;
        return known.Compaction?.Seq == compaction?.Seq ? known with { CompactedSeq = seen } : Known.Nothing with { Seq = compaction?.ThroughSeq ?? 0, CompactedSeq = seen, Compaction = compaction };
    }

    public void Forget(Guid thread)
    {
        foreach (var (view, _) in _known)
        {
            if (view.Thread == thread) Forget(view);
        }
    }

    private void Forget(HistoryView view)
    {
        if (_known.TryRemove(view, out var gone)) Interlocked.Add(ref _bytes, -gone.Bytes);
    }

    private void Keep(HistoryView view, Known known)
    {
        // Short threads are cheaper to read than to remember.
        if (known.Messages.Count < 8) return;
        Forget(view);
        if (_known.TryAdd(view, known)) Interlocked.Add(ref _bytes, known.Bytes);
        foreach (var (other, _) in _known)
        {
            if (Volatile.Read(ref _bytes) <= settings.Turns.HistoryCacheBytes) return;
            Forget(other);
        }
    }

    private static void Append(List<ChatMessage> messages, Message row, HistoryView view)
    {
        switch (row.Role)
        {
            case MessageRoles.User:
                messages.Add(UserMessage(row, view.WithNames));
                break;
            case MessageRoles.Assistant when view.IsOfAnother(row):
                if (row.Content.Length > 0) messages.Add(HistoryView.Said(row));
                break;
            // The calls of other agents are theirs: a provider accepts no call of a tool that it was not offered.
            case MessageRoles.Step or MessageRoles.Tool when view.IsOfAnother(row):
                break;
            case MessageRoles.Step:
                messages.Add(new(ChatRole.Assistant, StepContents(row)));
                break;
            case MessageRoles.Tool:
                AppendResult(messages, row);
                break;
            case MessageRoles.Assistant when row.Reasoning is not null:
                messages.Add(new(ChatRole.Assistant, [.. SignedReasoning.Parse(row.Reasoning), new TextContent(row.Content[row.TailStart..])]));
                break;
            case MessageRoles.Assistant when row.Content.Length > row.TailStart:
                messages.Add(new HistoryMessage(ChatRole.Assistant, row.Content[row.TailStart..]));
                break;
        }
    }

    public static ChatMessage UserMessage(Message row, bool withNames)
    {
        var text = withNames && row.SenderName is { Length: > 0 } name ? $"{name}: {row.Content}" : row.Content;
        return row.Attachments is null ? new HistoryMessage(ChatRole.User, text) : AttachmentPrompt.Message(MessageAttachments.Parse(row.Attachments), text);
    }

    private static List<AIContent> StepContents(Message row)
    {
        var contents = new List<AIContent>(SignedReasoning.Parse(row.Reasoning));
        if (row.Content.Length > 0) contents.Add(new TextContent(row.Content));
        foreach (var call in StepCalls.Parse(row.ToolCalls)) contents.Add(ToolCallArguments.Create(call.Id, call.Name, call.Arguments));
        return contents;
    }

    // A call whose server died has only its intent. Providers refuse a history with an unanswered call for ever, so it is answered here.
    private static void AppendResult(List<ChatMessage> messages, Message row)
    {
        var result = new FunctionResultContent(row.ToolCallId!, row.Complete ? row.Content : $$"""{"error":"{{ToolErrors.OutcomeUnknown}}"}""");
        if (messages is [.., { Role: var role } last] && role == ChatRole.Tool) messages[^1] = new(ChatRole.Tool, [.. last.Contents, result]);
        else messages.Add(new(ChatRole.Tool, [result]));
    }

    private sealed record Known(List<ChatMessage> Messages, long Seq, long Bytes)
    {
        public static readonly Known Nothing = new([], 0, 0);

        public long CompactedSeq { get; init; }

        public Compaction? Compaction { get; init; }

        public ThreadPast Past => new(Messages, Compaction?.Summary);
    }
}

/// <summary>What was said in a thread before.</summary>
/// <param name="Messages">The messages.</param>
/// <param name="Summary">What stands for those before them; null when there are none, or the provider's own summary stands in the first message.</param>
internal sealed record ThreadPast(IReadOnlyList<ChatMessage> Messages, string? Summary);

/// <summary>The stored form of a step's calls.</summary>
internal static class StepCalls
{
    public static string ToText(IEnumerable<MessageToolCall> calls) => JsonSerializer.Serialize(calls, Platform.Http.WireJson.Responses);

    public static IReadOnlyList<MessageToolCall> Parse(string? text) => text is null ? [] : JsonSerializer.Deserialize<List<MessageToolCall>>(text, Platform.Http.WireJson.Responses)!;
}
