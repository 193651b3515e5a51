using System.Text.Json;
using Flapjack.Server.ScheduledTasks;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.ScheduledTasks;

/// <summary>What tests do with scheduled tasks.</summary>
internal static class TaskCalls
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static string Path(Guid agent, JsonElement? task = null) => $"/api/agents/{agent}/scheduled-tasks" + (task is { } one ? $"/{one.Text("id")}" : "");

    /// <summary>An agent that may have tasks.</summary>
    public static Task<Guid> AgentAsync(this TurnWorld world, string model = "flapjack-offline", object? profiles = null) =>
        world.Server.CreateAgentAsync("Ada", new { defaultModel = model, scheduledTasksEnabled = true, toolProfiles = profiles });

    public static Task<HttpResponseMessage> PutAsync(this TurnWorld world, Guid agent, object config, HttpClient? client = null) => (client ?? world.Server.Client).PutAsync(Path(agent), TurnWorld.Body(config), Token);

    public static Task<JsonElement> ConfigAsync(this TurnWorld world, Guid agent, HttpClient? client = null) => world.GetAsync(Path(agent), client);

    public static async Task<JsonElement> TaskAsync(this TurnWorld world, Guid agent, object fields, HttpClient? client = null) => await world.PostAsync(Path(agent), fields, client).ShouldBe(201);

    public static Task<HttpResponseMessage> ChangeAsync(this TurnWorld world, Guid agent, JsonElement task, object fields) => world.PatchAsync(Path(agent, task), fields);

    public static Task<HttpResponseMessage> DeleteAsync(this TurnWorld world, Guid agent, JsonElement task) => world.Server.Client.DeleteAsync(Path(agent, task), Token);

    /// <summary>The task as it stands, whatever its status.</summary>
    public static async Task<JsonElement> ReadTaskAsync(this TurnWorld world, Guid agent, JsonElement task) => await world.ChangeAsync(agent, task, new { }).ShouldBe(200);

    /// <summary>One round of a node; returns when what is due has begun or was refused.</summary>
    public static async Task RoundAsync(this ServerFixture server) => await await server.Services.GetRequiredService<TaskRounds>().RunAsync(Token);

    /// <summary>Looks after tasks until this one is as it should be.</summary>
    public static async Task<JsonElement> UntilAsync(this TurnWorld world, Guid agent, JsonElement task, Func<JsonElement, bool> isSo)
    {
        var deadline = Environment.TickCount64 + 20_000;
        while (true)
        {
            await world.Server.RoundAsync();
            var read = await world.ReadTaskAsync(agent, task);
            if (isSo(read)) return read;
            if (Environment.TickCount64 > deadline) throw new TimeoutException(read.ToString());
            await Task.Delay(10, Token);
        }
    }

    /// <summary>Lets time pass, and the task have so many turns that have ended.</summary>
    public static Task<JsonElement> RunsAsync(this TurnWorld world, Guid agent, JsonElement task, int count, TimeSpan after)
    {
        world.Server.Time.Advance(after);
        return world.UntilAsync(agent, task, t => t.GetProperty("run_count").GetInt32() >= count && t.Text("last_status") != "running");
    }

    /// <summary>The agent's threads, newest first.</summary>
    public static async Task<List<JsonElement>> ThreadsAsync(this TurnWorld world, Guid agent, HttpClient? client = null) => [.. (await world.GetAsync($"/api/threads?agentId={agent}", client)).GetProperty("threads").EnumerateArray()];

    /// <summary>A time of the server's clock as the wire has it.</summary>
    public static string At(this TurnWorld world, TimeSpan later) => (world.Server.Time.GetUtcNow() + later).ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture);
}
