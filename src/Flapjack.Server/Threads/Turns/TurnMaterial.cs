using Flapjack.Runtime.Prompts;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Agents.Equipment;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Threads.Turns;

/// <summary>What other features give to prompts of turns, and hear of turns that ended.</summary>
internal sealed class TurnMaterial(IEnumerable<IPromptSource> sources, IEnumerable<ITurnFollowUp> followUps)
{
    /// <summary>A message shorter than this says too little by itself: the one before it is looked for too.</summary>
    private const int ShortQuery = 20;

    private readonly IPromptSource[] _sources = [.. sources];
    private readonly ITurnFollowUp[] _followUps = [.. followUps];

    /// <summary>The parts for a prompt whose messages are known already.</summary>
    public async ValueTask<IReadOnlyList<PromptPart>> ReadAsync(TurnRun run, List<ChatMessage> prompt)
    {
        if (_sources.Length == 0) return [];
        // A prompt whose reading met an outage is put together again; its spans stand in the trace once.
        var spans = new List<TurnSpan>();
        var request = new PromptRequest(run.Plan.Equipment, run.Live.TurnId, QueryOf(run.Input ?? "", prompt), spans.Add) { IsContinued = run.Fence > 0 || run.Earlier is not null };
        var parts = new List<PromptPart>();
        foreach (var source in _sources)
        {
            if (await source.ReadAsync(request, run.Token) is { } part) parts.Add(part);
        }
        foreach (var span in spans) run.State.Add(span);
        return parts;
    }

    /// <summary>Tells who wants to know that a turn ended well.</summary>
    public void TurnEnded(TurnRun run)
    {
        if (_followUps.Length == 0 || run.End is not { Error: null, FinishReason: not "stopped" }) return;
        var ended = new EndedTurn(run.Plan.Equipment, run.Live.TurnId, run.Input, run.Text);
        foreach (var followUp in _followUps) followUp.TurnEnded(ended);
    }

    private static string QueryOf(string input, List<ChatMessage> prompt)
    {
        if (input.Length >= ShortQuery) return input;
        // The message itself stands in the prompt too, with its sender's name where several people speak.
        var before = prompt.Where(m => m.Role == ChatRole.User).Select(SaidIn).LastOrDefault(text => text.Length > 0 && text != input && !text.EndsWith($": {input}", StringComparison.Ordinal));
        return before is null ? input : $"{before}\n{input}";
    }

    // What people wrote, without the files that came along.
    private static string SaidIn(ChatMessage message) => string.Concat(message.Contents.OfType<TextContent>().Where(content => PromptSection.NameOf(content) is null).Select(content => content.Text));
}
