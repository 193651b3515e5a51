using System.Text.Json;
using Flapjack.Server.Tests.Threads;
using Flapjack.Server.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Flapjack.Server.Tests.Web;

/// <summary>A server that may dial its own machine, and fake sites there.</summary>
public sealed class WebWorld : IAsyncLifetime
{
    public TurnWorld World { get; private set; } = null!;

    public ServerFixture Server => World.Server;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => World = await StartAsync();

    public ValueTask DisposeAsync() => World.DisposeAsync();

    public static Task<TurnWorld> StartAsync(Action<IDictionary<string, string?>>? settings = null) => TurnWorld.StartAsync(all =>
    {
        all["Network:AllowedHosts:0"] = "loopback";
        settings?.Invoke(all);
    }, services => services.Replace(ServiceDescriptor.Singleton(new WebLimits { Pause = TimeSpan.Zero, PageBytes = 1_000_000, CrawlCharacters = 20_000 })));

    /// <summary>A thread of a new agent with web tools.</summary>
    public Task<Guid> OpenAsync(object? config = null, string model = "flapjack-offline") => OpenAsync(World, config, model);

    public static async Task<Guid> OpenAsync(TurnWorld world, object? config = null, string model = "flapjack-offline")
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = model });
        await world.Server.Client.PutAsync($"/api/agents/{agent}/web", JsonText.Content("""{"enabled":true}"""), Token).ShouldBe(200);
        if (config is not null) await world.Server.Client.PutAsync($"/api/agents/{agent}/web", TurnWorld.Body(config), Token).ShouldBe(200);
        return await world.Server.CreateThreadAsync(agent);
    }

    public Task<JsonElement> CallAsync(Guid thread, string tool, object arguments) => CallAsync(World, thread, tool, arguments);

    /// <summary>Has the model call one tool and gives the result.</summary>
    public static async Task<JsonElement> CallAsync(TurnWorld world, Guid thread, string tool, object arguments)
    {
        var events = await world.Server.AskAsync(thread, $"/tool {tool} {arguments as string ?? JsonSerializer.Serialize(arguments)}");
        return events.Of("tool_result").Single().GetProperty("result");
    }

    /// <summary>An organisation's own provider at a fake address.</summary>
    internal static async Task SetUpAsync(TurnWorld world, string provider, FakeWeb web, string? key = "the-key") =>
        await world.Server.Client.PutAsync($"/api/providers/{provider}", TurnWorld.Body(new { apiKey = key, baseUrl = web.Address }), Token).ShouldBe(200);
}
