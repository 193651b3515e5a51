using System.Net;
using System.Text.Json;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Platform;
using Flapjack.Server.Tests.Threads;
using Flapjack.Server.Tests.Tools;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Flapjack.Server.Tests.Delegation;

/// <summary>Tools that one endpoint of the application runs.</summary>
public sealed class EndpointToolTests(ToolWorld world) : IClassFixture<ToolWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_endpoint_runs_many_tools()
    {
        var (thread, _) = await OpenAsync("/many");
        world.Receiver.Says("/many", """{"result":{"ticket":7},"custom":[{"kind":"ticket","payload":{"id":7}}]}""");
        await using var stream = await world.World.SendAsync(thread, new { content = """/tool open_ticket {"title":"Broken"}""" });
        await stream.EndAsync();
        stream.Seen.Of("tool_result").Single().GetProperty("result").GetRawText().ShouldBe("""{"ticket":7}""");
        stream.Seen.Of("custom").Single().Text("kind").ShouldBe("ticket");
        var hit = world.Receiver.At("/many").Single();
        (hit.Text, hit["X-Flapjack-Tool"], hit["X-Flapjack-Thread-Id"]).ShouldBe(("""{"title":"Broken"}""", "open_ticket", thread.ToString()));
        hit["X-Flapjack-Signature"].ShouldNotBeNull();
        (await world.World.TraceAsync(thread)).GetProperty("spans").EnumerateArray().Single(s => s.Text("name") == "open_ticket").Text("kind").ShouldBe("webhook");
    }

    [Fact]
    public async Task Arguments_are_checked_before_anything_is_sent()
    {
        var (thread, _) = await OpenAsync("/checked");
        (await world.ErrorAsync(thread, "open_ticket")).ShouldBe("INVALID_ARGUMENTS");
        world.Receiver.At("/checked").ShouldBeEmpty();
    }

    [Fact]
    public async Task Its_own_secret_signs()
    {
        const string secret = "a-secret-of-the-endpoint";
        var (thread, agent) = await OpenAsync("/signed");
        world.Receiver.Says("/signed", "{}");
        await world.CallAsync(thread, "ping");
        await world.World.PutAsync($"/api/agents/{agent}/delegated", new { secret });
        await world.CallAsync(thread, "ping");
        var hits = world.Receiver.At("/signed").ToList();
        hits.Select(hit => Signed(hit, secret)).ShouldBe([false, true]);
    }

    [Fact]
    public async Task Without_an_endpoint_or_switched_off_there_is_no_tool()
    {
        var (thread, agent) = await OpenAsync("/off");
        await world.World.PutAsync($"/api/agents/{agent}/delegated", new { endpointUrl = (string?)null });
        (await world.ErrorAsync(thread, "ping")).ShouldBe("UNKNOWN_TOOL");
        await world.World.PutAsync($"/api/agents/{agent}/delegated", new { endpointUrl = world.Receiver.UrlOf("/off"), enabled = false });
        (await world.ErrorAsync(thread, "ping")).ShouldBe("UNKNOWN_TOOL");
    }

    [Fact]
    public async Task Only_its_own_host_may_be_redirected_to()
    {
        var (thread, _) = await OpenAsync("/moved");
        world.Receiver.On("/moved", (context, _) =>
        {
            (context.Response.StatusCode, context.Response.Headers.Location) = (307, "http://10.0.0.1/");
            return Task.CompletedTask;
        });
        (await world.ErrorAsync(thread, "ping")).ShouldBe("TOOL_REDIRECT_REFUSED");
    }

    [Fact]
    public async Task Hostile_addresses_are_refused_when_they_are_saved_and_when_their_names_turn_hostile_later()
    {
        var inside = false;
        await using var victim = await ToolReceiver.StartAsync();
        await using var server = await ServerFixture.StartAsync(services: services => services.Replace(ServiceDescriptor.Singleton(provider => new EgressGuard(
            provider.GetRequiredService<ServerSettings>(), (_, _) => Task.FromResult<IPAddress[]>([inside ? IPAddress.Loopback : IPAddress.Parse("8.8.8.8")])))));
        var agent = await server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        Task<HttpResponseMessage> PutAsync(string url) => server.Client.PutAsync($"/api/agents/{agent}/delegated", TurnWorld.Body(new { enabled = true, endpointUrl = url, tools = new[] { new { name = "ping" } } }), Token);
        foreach (var url in EgressGuardTests.HostileUrls.Select(row => row.Data).Where(url => !url.Contains("example", StringComparison.Ordinal) && !url.Contains("localhost", StringComparison.OrdinalIgnoreCase)))
        {
            await PutAsync(url).ShouldBeError(422, "VALIDATION_ERROR", "endpointUrl");
        }
        await PutAsync($"http://rebind.example:{victim.Port}/x").ShouldBe(200);
        inside = true;
        await PutAsync($"http://rebind.example:{victim.Port}/y").ShouldBeError(422, "VALIDATION_ERROR", "endpointUrl");
        var events = await server.AskAsync(await server.CreateThreadAsync(agent), "/tool ping {}");
        events.Of("tool_result").Single().GetProperty("result").Text("error").ShouldBe("BLOCKED_ADDRESS");
        events[^1].Event.ShouldBe("done");
        victim.Hits.ShouldBeEmpty();
    }

    private static bool Signed(ToolHit hit, string secret)
    {
        var text = $"{hit["X-Flapjack-Timestamp"]}.{hit["X-Flapjack-Nonce"]}.{hit.Text}";
        var mac = System.Security.Cryptography.HMACSHA256.HashData(System.Text.Encoding.UTF8.GetBytes(secret), System.Text.Encoding.UTF8.GetBytes(text));
        return hit["X-Flapjack-Signature"]!.EndsWith(Convert.ToHexStringLower(mac), StringComparison.Ordinal);
    }

    private async Task<(Guid Thread, Guid Agent)> OpenAsync(string path)
    {
        var agent = await world.World.AgentAsync("Ada");
        var title = JsonElement.Parse("""{"type":"object","properties":{"title":{"type":"string"}},"required":["title"]}""");
        await world.World.PutAsync($"/api/agents/{agent}/delegated", new { enabled = true, endpointUrl = world.Receiver.UrlOf(path), tools = new object[] { new { name = "open_ticket", description = "Opens a ticket", parameters = title }, new { name = "ping" } } });
        return (await world.Server.CreateThreadAsync(agent), agent);
    }
}
