using System.Text;
using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Streams;

namespace Flapjack.Server.Threads.Conversations;

/// <summary>What the events of one stream of a turn add up to, for features that tell it in another protocol.</summary>
internal sealed class AnswerSoFar(LiveTurn live)
{
    private readonly StringBuilder _text = new();

    public LiveTurn Live => live;

    public DateTime StartedAt { get; private set; }

    public string Text => _text.ToString();

    /// <summary>Calls the client has to run.</summary>
    public IReadOnlyList<TurnCall> Calls { get; private set; } = [];

    /// <summary>Why the turn ended; null while it runs, waits for the client or failed.</summary>
    public string? FinishReason { get; private set; }

    public ApiException? Failure { get; private set; }

    /// <summary>True when the turn ended or waits for the client; a stream that broke off has neither end nor failure.</summary>
    public bool IsWhole => FinishReason is not null || Calls.Count > 0;

    /// <summary>Of this stream alone.</summary>
    public ModelUsage Usage { get; private set; }

    /// <summary>Everything a stream holds that has ended.</summary>
    public static AnswerSoFar Of(LiveTurn live)
    {
        var answer = new AnswerSoFar(live);
        foreach (var (type, data) in live.Events()) answer.Take(type, data);
        return answer;
    }

    /// <summary>Takes the next event. Returns the text it brings.</summary>
    public string? Take(string type, ReadOnlyMemory<byte> data)
    {
        using var json = JsonDocument.Parse(data);
        var root = json.RootElement;
        switch (type)
        {
            case "meta":
                StartedAt = WireTime.TryParse(root.Text("startedAt"), out var time) ? time : default;
                return null;
            case "token":
                return Add(root.Text("delta")!);
            case "requires_action":
                Calls = root.GetProperty("toolCalls").EnumerateArray().Select(call => new TurnCall(call.Text("id")!, call.Text("name")!, call.Text("arguments")!, true)).ToList();
                if (live.UsedAtQuestion is { } used) Usage = Since(used);
                break;
            case "done":
                FinishReason = root.Text("finishReason");
                break;
            case "error":
                Failure = TurnAnswer.Failure(root.Text("code")!, root.Text("detail"));
                break;
            default:
                return null;
        }
        if (root.TryGetProperty("usage", out var usage)) Usage = UsageOf(usage);
        return null;
    }

    private string? Add(string delta)
    {
        // What stands between the texts of two requests means nothing to a client that sees them as two answers.
        if (live.FirstSequence > 1 && _text.Length == 0 && delta == TurnLoop.Joint) return null;
        _text.Append(delta);
        return delta;
    }

    private ModelUsage UsageOf(JsonElement usage)
    {
        return Since(new(Count("input_tokens"), Count("output_tokens"), Count("cache_read_tokens"), Count("cache_write_tokens")));

        long Count(string name) => usage.GetProperty(name).GetInt64();
    }

    // Events count the whole turn, an answer here only what it took itself.
    private ModelUsage Since(ModelUsage used)
    {
        var before = live.UsedBefore;
        return new(used.InputTokens - before.InputTokens, used.OutputTokens - before.OutputTokens, used.CacheReadTokens - before.CacheReadTokens, used.CacheWriteTokens - before.CacheWriteTokens);
    }
}
