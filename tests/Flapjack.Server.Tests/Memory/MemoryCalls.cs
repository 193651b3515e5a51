using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.Memory;

/// <summary>What tests do with memories.</summary>
internal static class MemoryCalls
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>An agent that remembers, and a thread with it.</summary>
    public static async Task<(Guid Agent, Guid Thread)> RememberingAsync(this TurnWorld world, object? config = null, string model = "flapjack-offline", object? thread = null)
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = model });
        await world.ConfigureAsync(agent, config ?? new { enabled = true });
        return (agent, await world.Server.CreateThreadAsync(agent, thread));
    }

    public static Task<JsonElement> ConfigureAsync(this TurnWorld world, Guid agent, object config) => world.Server.Client.PutAsync($"/api/agents/{agent}/memory", TurnWorld.Body(config), Token).ShouldBe(200);

    public static Task<JsonElement> RememberAsync(this TurnWorld world, Guid agent, string content, string scope = "agent", string? scopeId = null) =>
        world.PostAsync($"/api/agents/{agent}/memories", new { content, scope, scopeId }).ShouldBe(201);

    public static async Task<List<JsonElement>> MemoriesAsync(this TurnWorld world, Guid agent, string query = "", HttpClient? client = null) =>
        [.. (await world.GetAsync($"/api/agents/{agent}/memories{query}", client)).GetProperty("memories").EnumerateArray()];

    public static IEnumerable<string> Contents(this IEnumerable<JsonElement> memories) => memories.Select(m => m.Text("content"));

    /// <summary>Lets the model call a tool; its result and the client events of the turn.</summary>
    public static async Task<(JsonElement Result, List<JsonElement> Told)> CallAsync(this TurnWorld world, Guid thread, string tool, object arguments)
    {
        await using var stream = await world.SendAsync(thread, new { content = $"/tool {tool} {JsonSerializer.Serialize(arguments)}" });
        (await stream.EndAsync()).Event.ShouldBe("done");
        return (stream.Seen.Of("tool_result").Single().GetProperty("result"), [.. stream.Seen.Of("client_event")]);
    }
}
