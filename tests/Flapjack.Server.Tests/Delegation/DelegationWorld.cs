using System.Text.Json;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Tests.Threads;
using Flapjack.Server.Threads;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Delegation;

/// <summary>What tests of delegation say.</summary>
internal static class DelegationWorld
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static Task<Guid> AgentAsync(this TurnWorld world, string name, string model = "flapjack-offline", object? fields = null)
    {
        var all = new Dictionary<string, object?> { ["defaultModel"] = model };
        foreach (var property in fields?.GetType().GetProperties() ?? []) all[property.Name] = property.GetValue(fields);
        return world.Server.CreateAgentAsync(name, all);
    }

    /// <summary>Lets an agent ask others.</summary>
    public static Task<JsonElement> LetAskAsync(this TurnWorld world, Guid agent, Guid[] others, int maxDepth = 2, bool shareContext = false) => world.PutAsync(
        $"/api/agents/{agent}/delegated", new { enabled = true, agents = others.Select(id => new { agentId = id }), maxDepth, shareContext });

    public static async Task<JsonElement> PutAsync(this TurnWorld world, string path, object body) => await world.Server.Client.PutAsync(path, TurnWorld.Body(body), Token).ShouldBe(200);

    /// <summary>A line for the offline model that delegates.</summary>
    public static string Ask(string agent, string task) => $"/tool delegate_to_{agent} {JsonSerializer.Serialize(new { task })}";

    /// <summary>The hidden threads that were made for calls in a thread.</summary>
    public static async Task<List<ConversationThread>> ChildrenAsync(this TurnWorld world, Guid thread)
    {
        await using var db = world.Server.Services.GetRequiredService<Databases>().OpenForServer();
        return await db.Threads.IgnoreQueryFilters().AsNoTracking().Where(t => t.ParentThreadId == thread && t.Hidden).OrderBy(t => t.CreatedAt).ToListAsync(Token);
    }

    /// <summary>Nobody has said for long that the turns run.</summary>
    public static async Task ExpireLeasesAsync(this TurnWorld world)
    {
        await using var db = world.Server.Services.GetRequiredService<Databases>().OpenForServer();
        await db.Turns.IgnoreQueryFilters().Where(t => t.Status == "running").ExecuteUpdateAsync(t => t.SetProperty(x => x.LeaseUntil, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc)), Token);
    }

    /// <summary>Waits until no turn runs in a thread, or in one that its calls made.</summary>
    public static async Task FreeAsync(this TurnWorld world, Guid thread)
    {
        var deadline = Environment.TickCount64 + 30_000;
        while ((await world.ThreadAsync(thread)).GetProperty("active_turn_id").ValueKind != JsonValueKind.Null || (await world.ChildrenAsync(thread)).Exists(child => child.ActiveTurnId is not null))
        {
            if (Environment.TickCount64 > deadline) throw new TimeoutException($"A turn of {thread} still runs.");
            await Task.Delay(5, Token);
        }
    }

    /// <summary>Statuses of the turns of a thread.</summary>
    public static async Task<List<string>> TurnStatusesAsync(this TurnWorld world, Guid thread)
    {
        await using var db = world.Server.Services.GetRequiredService<Databases>().OpenForServer();
        return await db.Turns.IgnoreQueryFilters().Where(t => t.ThreadId == thread).Select(t => t.Status).ToListAsync(Token);
    }
}
