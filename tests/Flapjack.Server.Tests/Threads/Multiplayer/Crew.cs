using System.Text.Json;
using Flapjack.Server.Tests.Accounts;

namespace Flapjack.Server.Tests.Threads.Multiplayer;

/// <summary>A multiplayer thread of an agent named Ada, with other agents that can be called into it.</summary>
internal sealed record Crew(TurnWorld World, Guid Ada, Guid[] Others, Guid Thread)
{
    /// <summary>Opens one. The config has the others in it; fields of <paramref name="config"/> come on top.</summary>
    public static async Task<Crew> OpenAsync(TurnWorld world, string model, string[] others, object? config = null)
    {
        var ada = await world.Server.CreateAgentAsync("Ada", new { defaultModel = model, stablePreamble = "You are Ada." });
        var ids = new List<Guid>();
        foreach (var name in others) ids.Add(await world.Server.CreateAgentAsync(name, new { defaultModel = model, stablePreamble = $"You are {name}." }));
        var crew = new Crew(world, ada, [.. ids], await world.Server.CreateThreadAsync(ada, new { kind = "multiplayer" }));
        await crew.ConfigureAsync(new { enabled = true, additionalAgents = ids });
        if (config is not null) await crew.ConfigureAsync(config);
        return crew;
    }

    public async Task ConfigureAsync(object config, Guid? agent = null) =>
        await World.Server.Client.PutAsync($"/api/agents/{agent ?? Ada}/multiplayer", TurnWorld.Body(config), TestContext.Current.CancellationToken).ShouldBe(200);

    /// <summary>Sends a message and reads its whole stream.</summary>
    public async Task<List<ServerEvent>> AskAsync(object message, HttpClient? client = null)
    {
        await using var stream = await World.SendAsync(Thread, message, client);
        await stream.EndAsync();
        return stream.Seen;
    }

    /// <summary>Who wrote what, oldest first.</summary>
    public async Task<string[]> TalkAsync() => [.. (await World.MessagesAsync(Thread)).Select(m => $"{m.GetProperty("sender_name").GetString() ?? m.Text("role")}: {m.Text("content")}")];
}

/// <summary>How tests tell the events of a turn.</summary>
internal static class Story
{
    /// <summary>One line an event: its type, and what it is about.</summary>
    public static string[] Of(IEnumerable<ServerEvent> events) => [.. events.Select(e => e.Event switch
    {
        "token" => e.Data.Text("delta"),
        "client_event" => e.Data.Text("kind") + Payload(e.Data.GetProperty("payload")),
        _ => e.Event,
    })];

    private static string Payload(JsonElement payload) => payload.TryGetProperty("name", out var name) ? $" {name.GetString()}" : payload.TryGetProperty("mentions", out var mentions) ? $" {mentions.GetRawText()}" : "";
}
