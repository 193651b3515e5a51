using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.Tools;

/// <summary>A server and an application whose endpoints are its tools.</summary>
public sealed class ToolWorld : IAsyncLifetime
{
    private int _tools;
    private Action<IDictionary<string, string?>>? _settings;

    public TurnWorld World { get; private set; } = null!;

    public ToolReceiver Receiver { get; private set; } = null!;

    public ServerFixture Server => World.Server;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<ToolWorld> StartAsync(Action<IDictionary<string, string?>>? settings = null)
    {
        var world = new ToolWorld { _settings = settings };
        await world.InitializeAsync();
        return world;
    }

    public async ValueTask InitializeAsync()
    {
        Receiver = await ToolReceiver.StartAsync();
        World = await TurnWorld.StartAsync(settings =>
        {
            settings["Network:AllowedHosts:0"] = "loopback";
            settings["TOOL_HMAC_SECRET"] = "the-servers-own-secret-for-tests";
            _settings?.Invoke(settings);
        });
    }

    public async ValueTask DisposeAsync()
    {
        await World.DisposeAsync();
        await Receiver.DisposeAsync();
    }

    public string NewName(string stem = "tool") => $"{stem}_{Interlocked.Increment(ref _tools)}";

    /// <summary>Creates a tool that the receiver serves at <c>/name</c>, unless the fields say otherwise.</summary>
    public async Task<JsonElement> CreateAsync(string name, object? fields = null, Guid? agent = null)
    {
        var body = JsonSerializer.SerializeToNode(new { name, description = "For tests", url = Receiver.UrlOf("/" + name) })!.AsObject();
        if (agent is { } id) body["agentId"] = id;
        if (fields is not null) foreach (var (field, value) in JsonSerializer.SerializeToNode(fields)!.AsObject()) body[field] = value?.DeepClone();
        return await Server.Client.PostAsync("/api/tools", JsonText.Content(body.ToJsonString()), Token).ShouldBe(201);
    }

    /// <summary>An agent with one tool, and a thread with it.</summary>
    public async Task<(Guid Thread, Guid Agent, string Tool)> OpenAsync(string stem, object? fields = null, object? thread = null)
    {
        var agent = await Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        var name = NewName(stem);
        await CreateAsync(name, fields, agent);
        return (await Server.CreateThreadAsync(agent, thread), agent, name);
    }

    /// <summary>Lets the offline model call a tool and gives the events of the turn.</summary>
    public async Task<List<ServerEvent>> CallAsync(Guid thread, string tool, string arguments = "{}", object? message = null)
    {
        var body = JsonSerializer.SerializeToNode(new { content = $"/tool {tool} {arguments}" })!.AsObject();
        if (message is not null) foreach (var (field, value) in JsonSerializer.SerializeToNode(message)!.AsObject()) body[field] = value?.DeepClone();
        await using var stream = await World.SendAsync(thread, body.ToJsonString());
        await stream.EndAsync();
        return stream.Seen;
    }

    /// <summary>As <see cref="CallAsync"/>, down to the result.</summary>
    public async Task<JsonElement> ResultAsync(Guid thread, string tool, string arguments = "{}") => (await CallAsync(thread, tool, arguments)).Of("tool_result").Single();

    public async Task<string> ErrorAsync(Guid thread, string tool)
    {
        var events = await CallAsync(thread, tool);
        events[^1].Event.ShouldBe("done");
        var result = events.Of("tool_result").Single();
        result.GetProperty("is_error").GetBoolean().ShouldBeTrue(result.ToString());
        return result.GetProperty("result").Text("error");
    }
}
