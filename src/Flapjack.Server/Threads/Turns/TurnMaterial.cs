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
        var request = new PromptRequest(run.Plan.Equipment, run.Live.TurnId, QueryOf(run.Input ?? "", prompt), run.State.Add) { IsContinued = run.Fence > 0 || run.Earlier is not null };
        var parts = new List<PromptPart>();
        foreach (var source in _sources)
        {
            if (await source.ReadAsync(request, run.Token) is { } part) parts.Add(part);
        }
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
        var before = prompt.Where(m => m.Role == ChatRole.User).Select(m => m.Text).LastOrDefault(text => text != input);
        return before is null ? input : $"{before}\n{input}";
    }
}
