using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Threads.Multiplayer;

/// <summary>What those agents of a turn brought that have answered already. Their answers are stored, so any node can read it from the rows.</summary>
internal sealed record FinishedLegs
{
    public static readonly FinishedLegs None = new();

    /// <summary>Their texts as the stream tells them.</summary>
    public string Text { get; init; } = "";

    public ModelUsage Usage { get; init; }
    public decimal? CostUsd { get; init; }
    public int ClientRounds { get; init; }

    /// <summary>The newest of their messages; null when they said nothing.</summary>
    public Guid? LastMessageId { get; init; }

    /// <summary>Ids of their calls: results are stored by turn and call.</summary>
    public IReadOnlySet<string> CallIds { get; init; } = new HashSet<string>();

    /// <summary>Spans of those that answered in this stream.</summary>
    public IReadOnlyList<TurnSpan> Spans { get; init; } = [];

    /// <summary>The finished legs of a stored turn.</summary>
    public static async Task<FinishedLegs> ReadAsync(FlapjackDb db, Turn turn, CancellationToken cancellationToken)
    {
        if (turn.Leg == 0) return None;
        var rows = db.Messages.AsNoTracking().Where(m => m.ThreadId == turn.ThreadId && m.TurnId == turn.Id);
        var answers = await rows.Where(m => m.Role == MessageRoles.Assistant).OrderBy(m => m.Seq).ToListAsync(cancellationToken);
        var calls = await rows.Where(m => m.Role == MessageRoles.Tool).Select(m => m.ToolCallId!).ToListAsync(cancellationToken);
        return Of(answers) with { CallIds = calls.ToHashSet(StringComparer.Ordinal) };
    }

    /// <summary>The answers of one turn together, oldest first.</summary>
    public static FinishedLegs Of(IEnumerable<Message> answers) => answers.Aggregate(None, static (legs, answer) => legs with
    {
        Text = Join(legs.Text, answer.Content),
        Usage = legs.Usage + new ModelUsage(answer.InputTokens ?? 0, answer.OutputTokens ?? 0, answer.CacheReadTokens ?? 0, answer.CacheWriteTokens ?? 0),
        CostUsd = Sum(legs.CostUsd, (decimal?)answer.CostUsd),
        LastMessageId = answer.Id,
    });

    /// <summary>With the leg that has just ended.</summary>
    public FinishedLegs And(TurnState leg, Guid? messageId) => this with
    {
        Text = Join(Text, leg.Text.ToString()),
        Usage = Usage + leg.Usage,
        CostUsd = Sum(CostUsd, leg.CostUsd),
        ClientRounds = leg.ClientRounds,
        LastMessageId = messageId ?? LastMessageId,
        CallIds = CallIds.Concat(leg.Prompt.Concat(leg.Added).SelectMany(message => message.Contents).OfType<FunctionCallContent>().Select(call => call.CallId)).ToHashSet(StringComparer.Ordinal),
        Spans = [.. Spans, .. leg.Spans],
    };

    /// <summary>Texts one after another, as the stream tells them.</summary>
    public static string Join(string earlier, string later) => earlier.Length == 0 ? later : later.Length == 0 ? earlier : earlier + TurnLoop.Joint + later;

    public static decimal? Sum(decimal? one, decimal? other) => one is null ? other : one + (other ?? 0);
}
