using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.Plans;

/// <summary>What tests do with plans.</summary>
internal static class PlanCalls
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<JsonElement> PlanAsync(this TurnWorld world, Guid thread, params object[] todos) =>
        await world.PostAsync("/api/plans", new { threadId = thread, title = "Migrate billing", todos }).ShouldBe(201);

    public static Task<HttpResponseMessage> DeleteAsync(this TurnWorld world, string path, object? body = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Delete, path);
        if (body is not null) request.Content = TurnWorld.Body(body);
        return world.Server.Client.SendAsync(request, Token);
    }

    public static Task<JsonElement> ReadPlanAsync(this TurnWorld world, JsonElement plan) => world.GetAsync($"/api/plans/{plan.Text("id")}");

    public static Task<HttpResponseMessage> SetAsync(this TurnWorld world, JsonElement plan, int todo, object change) => world.PatchAsync(plan.TodoPath(todo), change);

    public static string TodoPath(this JsonElement plan, int todo) => $"/api/plans/{plan.Text("id")}/todos/{plan.TodoId(todo)}";

    public static string TodoId(this JsonElement plan, int todo) => plan.GetProperty("todos")[todo].Text("id");

    public static string Statuses(this JsonElement plan) => string.Join(' ', plan.GetProperty("todos").EnumerateArray().Select(t => t.Text("status")));

    public static string Outline(this JsonElement plan) => string.Join(' ', plan.GetProperty("todos").EnumerateArray().Select(t => new string('>', t.GetProperty("depth").GetInt32()) + t.Text("content") + t.GetProperty("position").GetInt32()));

    public static string Contents(this JsonElement todos) => string.Join(' ', todos.EnumerateArray().Select(t => t.Text("content")));
}
