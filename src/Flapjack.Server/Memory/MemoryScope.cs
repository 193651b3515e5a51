using System.Text.Json;

namespace Flapjack.Server.Memory;

/// <summary>What a memory belongs to.</summary>
/// <param name="Kind"><c>agent</c>, <c>thread</c> or <c>resource</c>.</param>
/// <param name="Id">The agent's or thread's id, or <c>type:id</c> of a resource.</param>
internal sealed record MemoryScope(string Kind, string Id)
{
    public const string Agent = "agent", Thread = "thread", Resource = "resource";

    public static MemoryScope OfAgent(Guid id) => new(Agent, id.ToString());

    public static MemoryScope OfThread(Guid id) => new(Thread, id.ToString());

    public static MemoryScope OfResource(string typeAndId) => new(Resource, typeAndId);

    /// <summary>What a turn may read and write, in the order in which a memory without a scope finds its place.</summary>
    public static List<MemoryScope> OpenTo(MemoryConfig config, Guid agentId, Guid? threadId, string bindings)
    {
        var open = new List<MemoryScope>();
        if (config.ResourceScope && bindings != "[]")
        {
            using var document = JsonDocument.Parse(bindings);
            foreach (var binding in document.RootElement.EnumerateArray())
            {
                var scope = OfResource($"{binding.GetProperty("type").GetString()}:{binding.GetProperty("id").GetString()}");
                if (!open.Contains(scope)) open.Add(scope);
            }
        }
        if (config.AgentScope) open.Add(OfAgent(agentId));
        if (config.ThreadScope && threadId is { } thread) open.Add(OfThread(thread));
        return open;
    }
}
