using System.Text.Json;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Knowledge;

/// <summary>Documents that are embedded once more: by another model, or because it failed.</summary>
public sealed class EmbeddingAgainTests
{
    private const string Sea = "The lighthouse was built in 1871.", Land = "The mill grinds at night.";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_document_that_could_not_be_embedded_is_tried_again_every_hour_and_at_the_start()
    {
        await using var web = await FakeWeb.StartAsync();
        await using var world = await WorldAsync(web);
        var agent = await world.Server.CreateAgentAsync();
        web.EmbeddingStatus = 401;
        (await world.Server.Client.AddDocumentAsync("agent", agent, Sea, "sea")).Text("status").ShouldBe("error");
        var queued = await QueuedAtAsync(world);
        world.Server.Time.Advance(TimeSpan.FromMinutes(59));
        await RoundAsync(world);
        (await QueuedAtAsync(world)).ShouldBe(queued);
        web.EmbeddingStatus = 200;
        world.Server.Time.Advance(TimeSpan.FromMinutes(2));
        await RoundAsync(world);
        await Until(async () => (await world.Server.Client.FindAsync(new { query = "beacon", agentId = agent, mode = "vector" })).Count == 1);

        web.EmbeddingStatus = 401;
        (await world.Server.Client.AddDocumentAsync("agent", agent, Land, "land")).Text("status").ShouldBe("error");
        web.EmbeddingStatus = 200;
        world.Server.Time.Advance(TimeSpan.FromMinutes(1));
        await world.Server.RestartAsync();
        await Until(async () => (await world.Server.Client.FindAsync(new { query = "mill", agentId = agent, mode = "lexical" })).Count == 1);
    }

    [Fact]
    public async Task A_document_that_another_model_could_not_embed_stays_found_and_waits_its_hour_too()
    {
        await using var web = await FakeWeb.StartAsync();
        await using var world = await WorldAsync(web);
        var agent = await world.Server.CreateAgentAsync();
        var id = (await world.Server.Client.AddDocumentAsync("agent", agent, Sea, "sea")).Text("id");
        web.EmbeddingStatus = 401;
        world.Server.Time.Advance(TimeSpan.FromMinutes(1));
        await world.Server.RestartAsync(settings => settings["Knowledge:EmbeddingModel"] = "sea/embed-2");
        var failed = await world.Server.Client.DocumentWhenAsync(id, d => d.GetProperty("error").ValueKind != JsonValueKind.Null);
        (failed.Text("status"), failed.Text("error")).ShouldBe(("ready", "EMBEDDING_FAILED"));
        var queued = await QueuedAtAsync(world);
        world.Server.Time.Advance(TimeSpan.FromMinutes(59));
        await RoundAsync(world);
        (await QueuedAtAsync(world)).ShouldBe(queued);
        (await world.Server.Client.FindAsync(new { query = "lighthouse", agentId = agent, mode = "lexical" })).Count.ShouldBe(1);
        web.EmbeddingStatus = 200;
        world.Server.Time.Advance(TimeSpan.FromMinutes(2));
        await RoundAsync(world);
        (await QueuedAtAsync(world)).ShouldNotBe(queued);
        await world.Server.Client.DocumentWhenAsync(id, d => d.GetProperty("error").ValueKind == JsonValueKind.Null);
    }

    [Fact]
    public async Task Another_embedding_model_embeds_everything_anew()
    {
        await using var web = await FakeWeb.StartAsync();
        await using var world = await WorldAsync(web);
        var agent = await world.Server.CreateAgentAsync();
        await world.Server.Client.AddDocumentAsync("agent", agent, Sea, "sea");
        web.Dimensions = 16;
        world.Server.Time.Advance(TimeSpan.FromMinutes(1));
        await world.Server.RestartAsync(settings => settings["Knowledge:EmbeddingModel"] = "sea/embed-2");
        await Until(() => Task.FromResult(web.Asked.Any(a => a.Model == "embed-2")));
        await Until(async () => (await world.Server.Client.FindAsync(new { query = "beacon", agentId = agent, mode = "vector" })).Count == 1);
        await using var db = world.Server.Database();
        (await db.Documents.IgnoreQueryFilters().SingleAsync(Token)).EmbeddingModel.ShouldBe("sea/embed-2");
    }

    private static Task<TurnWorld> WorldAsync(FakeWeb web) => TurnWorld.StartAsync(settings =>
    {
        settings["Network:AllowedHosts:0"] = "loopback";
        settings["Providers:sea:BaseUrl"] = new Uri(web.Address, "/v1").ToString();
        settings["Providers:sea:ApiKey"] = "sk-embed";
        settings["Knowledge:EmbeddingModel"] = "sea/embed-1";
    });

    // A round only queues: what becomes of that comes later.
    private static async Task<DateTime?> QueuedAtAsync(TurnWorld world)
    {
        await using var db = world.Server.Database();
        return await db.Documents.IgnoreQueryFilters().Select(d => d.QueuedAt).SingleAsync(Token);
    }

    private static Task RoundAsync(TurnWorld world)
    {
        var rounds = world.Server.Services.GetRequiredService<HousekeepingRounds>();
        return rounds.RunAsync(rounds.Tasks.Single(t => t.Name == "knowledge"), Token);
    }

    private static async Task Until(Func<Task<bool>> isSo)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        while (!await isSo())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
