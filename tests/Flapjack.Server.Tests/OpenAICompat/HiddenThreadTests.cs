using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Tests.Threads;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.OpenAICompat;

/// <summary>Threads behind conversations without one, the models a server may offer, and who sees what.</summary>
public sealed class HiddenThreadTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_thread_nobody_asked_for_is_in_no_list_and_goes_a_day_after_its_last_message()
    {
        await using var world = await TurnWorld.StartAsync();
        var model = await world.AgentAsync();
        var visible = await world.Server.CreateThreadAsync(Guid.Parse(model[6..]));
        using var first = await world.ChatAsync(new { model, messages = new[] { CompatCalls.User("/echo hello") } });
        var thread = first.ThreadOf();
        (await world.GetAsync($"/api/threads?agentId={model[6..]}")).GetProperty("threads").EnumerateArray().Select(t => t.GetProperty("id").GetGuid()).ShouldBe([visible]);

        await SweepAsync(world, TimeSpan.FromHours(23));
        (await world.CompleteAsync(new { model, messages = new[] { CompatCalls.User("/history") } }, thread)).TextOf().ShouldBe("messages: 3");
        await SweepAsync(world, TimeSpan.FromHours(23));
        (await world.MessagesAsync(thread)).Count.ShouldBe(4);
        await SweepAsync(world, TimeSpan.FromHours(1));
        await world.Server.Client.GetAsync($"/api/threads/{thread}", Token).ShouldBeError(404, "NOT_FOUND");
        await world.ThreadAsync(visible);
    }

    [Fact]
    public async Task A_refused_message_leaves_no_thread()
    {
        await using var world = await TurnWorld.StartAsync();
        var model = await world.AgentAsync();
        var tools = new[] { new { type = "function", function = new { name = "weather" } } };
        await world.ChatAsync(new { model, tools, messages = new[] { CompatCalls.User("hi") } }).ShouldFailAsync(422, "VALIDATION_ERROR", "tools[0].name");
        await using var db = world.Server.Services.GetRequiredService<Databases>().OpenForServer();
        (await db.Threads.IgnoreQueryFilters().CountAsync(Token)).ShouldBe(0);
    }

    [Fact]
    public async Task Agents_are_listed_as_models_and_models_themselves_where_they_may_be_used()
    {
        await using var world = await TurnWorld.StartAsync();
        var model = await world.AgentAsync();
        var list = await world.GetAsync("/v1/models");
        list.GetProperty("object").GetString().ShouldBe("list");
        var agent = list.GetProperty("data")[0];
        agent.GetProperty("id").GetString().ShouldBe(model);
        (agent.GetProperty("object").GetString(), agent.GetProperty("name").GetString(), agent.GetProperty("owned_by").GetString()).ShouldBe(("model", "Ada", "default"));
        agent.GetProperty("created").GetInt64().ShouldBeInRange(world.Server.Time.GetUtcNow().ToUnixTimeSeconds() - 120, world.Server.Time.GetUtcNow().ToUnixTimeSeconds() + 120);
        Ids(list).ShouldAllBe(id => id.StartsWith("agent:"));

        await world.Server.RestartAsync(settings => settings["OpenAiCompat:AllowRawModels"] = "true");
        Ids(await world.GetAsync("/v1/models")).ShouldContain("gpt-5.4");
        var agents = (await world.GetAsync("/api/agents")).GetArrayLength();
        using var answer = await world.ChatAsync(new { model = "flapjack-offline", messages = new[] { CompatCalls.User("/echo raw") } });
        (await answer.ShouldBeAsync(200)).TextOf().ShouldBe("raw");
        (await world.GetAsync("/api/agents")).GetArrayLength().ShouldBe(agents, "the agent behind it is no agent of the organisation");
        var hidden = (await world.ThreadAsync(answer.ThreadOf())).GetProperty("agent_id").GetString();
        await world.Server.Client.GetAsync($"/api/agents/{hidden}", Token).ShouldBeError(404, "NOT_FOUND");
        await world.ChatAsync(new { model = $"agent:{hidden}", messages = new[] { CompatCalls.User("hi") } }).ShouldFailAsync(404, "model_not_found", "model");
        (await world.CompleteAsync(new { model = "flapjack-offline", messages = new[] { CompatCalls.User("/history") } }, answer.ThreadOf())).TextOf().ShouldBe("messages: 3");
        await world.ChatAsync(new { model = "nothing/there", messages = new[] { CompatCalls.User("hi") } }).ShouldFailAsync(404, "model_not_found", "model");
    }

    private static async Task SweepAsync(TurnWorld world, TimeSpan later)
    {
        world.Server.Time.Advance(later);
        await world.Server.Services.GetRequiredService<HousekeepingRounds>().RunAsync(Token);
    }

    private static List<string> Ids(System.Text.Json.JsonElement list) => [.. list.GetProperty("data").EnumerateArray().Select(m => m.GetProperty("id").GetString()!)];
}
