using System.Globalization;
using System.Text.Json;

namespace Flapjack.Server.Tests.Processes;

/// <summary><c>kill -9</c> while scheduled tasks are due: each has its one turn, begun before or after, and its whole answer.</summary>
public sealed class TaskCrashTests
{
    private const int Tasks = 16;

    [Fact]
    public async Task Kill_9_neither_loses_nor_doubles_an_occurrence()
    {
        await using var home = await ServerHome.CreateAsync();
        string[] settings = [.. home.Settings, "--ScheduledTasks:MaxRunning=6"];
        var server = await PublishedServer.StartAsync(settings);
        try
        {
            var agent = (await server.CallAsync(HttpMethod.Post, "/api/agents", """{"name":"Ada","defaultModel":"flapjack-offline","scheduledTasksEnabled":true}""", 201)).GetProperty("id").GetGuid();
            var at = (TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(2)).ToString("O", CultureInfo.InvariantCulture);
            var tasks = new List<JsonElement>();
            for (var i = 0; i < Tasks; i++) tasks.Add(await server.CallAsync(HttpMethod.Post, $"/api/agents/{agent}/scheduled-tasks", $$"""{"prompt":"/count 100 5","title":"Task {{i}}","runAt":"{{at}}"}""", 201));
            // Some run then, others are about to, the rest wait for a place.
            for (var kill = 1; kill <= 2; kill++)
            {
                var begun = kill * 4;
                await PublishedServer.UntilAsync(TimeSpan.FromSeconds(60), $"{begun} tasks have begun", async () => (await ThreadsAsync(server, agent)).Count >= begun);
                await server.KillAsync();
                await server.DisposeAsync();
                server = await PublishedServer.StartAsync(settings);
            }
            foreach (var task in tasks)
            {
                var ended = default(JsonElement);
                await PublishedServer.UntilAsync(TimeSpan.FromSeconds(90), "each task has run", async () =>
                {
                    ended = await server.CallAsync(HttpMethod.Patch, $"/api/agents/{agent}/scheduled-tasks/{task.GetProperty("id").GetString()}", "{}");
                    return ended.GetProperty("last_status").GetString() is not (null or "running");
                });
                (ended.GetProperty("status").GetString(), ended.GetProperty("last_status").GetString(), ended.GetProperty("run_count").GetInt32()).ShouldBe(("finished", "ok", 1), server.Output);
            }
            var threads = await ThreadsAsync(server, agent);
            threads.Select(t => t.GetProperty("title").GetString()).ShouldBe(Enumerable.Range(0, Tasks).Select(i => $"Task {i}"), ignoreOrder: true);
            foreach (var thread in threads)
            {
                var messages = await server.MessagesAsync(thread.GetProperty("id").GetGuid());
                messages.Select(m => m.GetProperty("role").GetString()).ShouldBe(["user", "assistant"]);
                messages[1].GetProperty("content").GetString()!.TrimEnd().ShouldEndWith("100");
            }
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    private static async Task<List<JsonElement>> ThreadsAsync(PublishedServer server, Guid agent) =>
        [.. (await server.CallAsync(HttpMethod.Get, $"/api/threads?agentId={agent}")).GetProperty("threads").EnumerateArray()];
}
