using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Mcp;

/// <summary>A server that may call fakes on this machine. As a class fixture one serves a class.</summary>
public sealed class McpWorld : IAsyncLifetime
{
    private Action<IDictionary<string, string?>>? _settings;
    private Action<IServiceCollection>? _services;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public TurnWorld Turns { get; private set; } = null!;

    public ServerFixture Server => Turns.Server;

    public static async Task<McpWorld> StartAsync(Action<IDictionary<string, string?>>? settings = null, Action<IServiceCollection>? services = null)
    {
        var world = new McpWorld { _settings = settings, _services = services };
        await world.InitializeAsync();
        return world;
    }

    public async ValueTask InitializeAsync() => Turns = await TurnWorld.StartAsync(settings =>
    {
        settings["Network:AllowedHosts:0"] = "loopback";
        _settings?.Invoke(settings);
    }, _services);

    public ValueTask DisposeAsync() => Turns.DisposeAsync();

    public Task<HttpResponseMessage> PostAsync(string path, object body, HttpClient? client = null) => Turns.PostAsync(path, body, client);

    /// <summary>Adds a server under a name of its own.</summary>
    public async Task<JsonElement> AddAsync(object fields, HttpClient? client = null) => await PostAsync("/api/mcps", fields, client).ShouldBe(201);

    /// <summary>Adds the fake and gives it to a new agent of this model.</summary>
    internal async Task<(string Mcp, string Slug, Guid Agent, Guid Thread)> GiveAsync(FakeMcpServer fake, object? fields = null, object? attachment = null, string model = "flapjack-offline")
    {
        var body = JsonSerializer.SerializeToNode(new { name = $"Fake {Guid.NewGuid():N}"[..20], transport = "streamable_http", url = fake.Url })!.AsObject();
        if (fields is not null) foreach (var (name, value) in JsonSerializer.SerializeToNode(fields)!.AsObject()) body[name] = value?.DeepClone();
        var mcp = await AddAsync(body.ToJsonString());
        var agent = await Server.CreateAgentAsync("Ada", new { defaultModel = model });
        await AttachAsync(agent, mcp.Text("id"), attachment);
        return (mcp.Text("id"), mcp.Text("slug"), agent, await Server.CreateThreadAsync(agent));
    }

    public async Task AttachAsync(Guid agent, string mcp, object? fields = null)
    {
        var body = JsonSerializer.SerializeToNode(new { mcpServerId = mcp })!.AsObject();
        if (fields is not null) foreach (var (name, value) in JsonSerializer.SerializeToNode(fields)!.AsObject()) body[name] = value?.DeepClone();
        using var response = await PostAsync($"/api/agents/{agent}/mcps", body.ToJsonString());
        ((int)response.StatusCode).ShouldBeOneOf(200, 201);
    }

    public Task<JsonElement> ReadAsync(string mcp) => Turns.GetAsync($"/api/mcps/{mcp}");

    public Task<JsonElement> TestAsync(string mcp) => PostAsync($"/api/mcps/{mcp}/test", new { }).ShouldBe(200);

    /// <summary>Sends a message and gives the result of its one tool call.</summary>
    public async Task<JsonElement> CallAsync(Guid thread, string tool, string arguments = "{}")
    {
        var events = await Server.AskAsync(thread, $"/tool {tool} {arguments}");
        events.ShouldBeWellFormed();
        return events.Of("tool_result").Single();
    }

    /// <summary>The row, for what no client sees.</summary>
    internal async Task<Flapjack.Server.Mcp.McpServer> RowAsync(string mcp)
    {
        await using var db = Server.Database();
        var id = Guid.Parse(mcp);
        return await db.McpServers.IgnoreQueryFilters().SingleAsync(s => s.Id == id, Token);
    }
}
