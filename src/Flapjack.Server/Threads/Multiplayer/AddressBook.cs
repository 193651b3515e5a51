using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Multiplayer;

namespace Flapjack.Server.Threads.Multiplayer;

/// <summary>Which handle calls which agent of a thread. Where two agents share one, the thread's own agent comes first, then the others in the order of its config.</summary>
internal sealed class AddressBook
{
    private readonly Dictionary<string, Agent> _agents = new(StringComparer.Ordinal);

    /// <summary>Enters an agent under the handle of its name and its extra ones.</summary>
    public void Add(Agent agent, IEnumerable<string> mentionNames)
    {
        foreach (var handle in mentionNames.Prepend(AgentHandle.Of(agent.Name)))
        {
            if (handle.Length > 0) _agents.TryAdd(handle, agent);
        }
    }

    /// <summary>The agents that the handles call, each once, in that order.</summary>
    public IReadOnlyList<Agent> Find(IEnumerable<string> handles) => [.. handles.Select(Find).OfType<Agent>().DistinctBy(agent => agent.Id)];

    // A hyphen at the end may be one of the sentence.
    private Agent? Find(string handle) => _agents.GetValueOrDefault(handle) ?? _agents.GetValueOrDefault(handle.TrimEnd('-', '_'));
}
