using System.Net;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Tests.Accounts;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Mcp;

/// <summary>Authorisations that come back when the server, or who started them, is no longer what it was: tokens go to the address they are for, by the will of people who may change the server.</summary>
public sealed class McpReturnTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tokens_for_an_address_are_not_kept_for_the_next_one()
    {
        await using var world = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        await using var other = await FakeMcpServer.StartAsync();
        var (guard, mcp, back) = await StartedAsync(world, fake);
        await world.Turns.PatchAsync($"/api/mcps/{mcp}", new { url = other.Url }).ShouldBe(200);
        (await StatusAsync(world, back)).ShouldBe(400);
        guard.TokenRequests.ShouldBeEmpty();
        await ShouldHaveNothingAsync(world, mcp, other.Url);
    }

    [Fact]
    public async Task Nor_when_the_address_changes_while_they_are_asked_for()
    {
        await using var world = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        await using var other = await FakeMcpServer.StartAsync();
        var (guard, mcp, back) = await StartedAsync(world, fake);
        var answers = fake.Other;
        fake.Other = async http =>
        {
            if (http.Request.Path == "/token") await world.Turns.PatchAsync($"/api/mcps/{mcp}", new { url = other.Url }).ShouldBe(200);
            return await answers(http);
        };
        (await StatusAsync(world, back)).ShouldBe(400);
        guard.TokenRequests.Count.ShouldBe(1);
        await ShouldHaveNothingAsync(world, mcp, other.Url);
    }

    [Fact]
    public async Task Nor_when_they_come_while_the_address_is_changed()
    {
        const string Slow = "https://slow.example.com/mcp";
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously), gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var world = await McpWorld.StartAsync(services: services => services.AddSingleton(provider => new EgressGuard(provider.GetRequiredService<ServerSettings>(), async (host, stop) =>
        {
            if (host != "slow.example.com") return await Dns.GetHostAddressesAsync(host, stop);
            entered.TrySetResult();
            await gate.Task.WaitAsync(stop);
            return [IPAddress.Parse("8.8.8.8")];
        })));
        await using var fake = await FakeMcpServer.StartAsync();
        var (_, mcp, back) = await StartedAsync(world, fake);
        var changing = world.Turns.PatchAsync($"/api/mcps/{mcp}", new { url = Slow });
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        (await StatusAsync(world, back)).ShouldBe(200);
        (await world.ReadAsync(mcp)).GetProperty("hasCredentials").GetBoolean().ShouldBeTrue();
        gate.SetResult();
        await changing.ShouldBe(200);
        await ShouldHaveNothingAsync(world, mcp, Slow);
    }

    [Theory]
    [InlineData("viewer")]
    [InlineData(null)]
    public async Task Who_may_no_longer_change_a_server_does_not_authorise_it(string? role)
    {
        await using var world = await McpWorld.StartAsync();
        await using var fake = await FakeMcpServer.StartAsync();
        var id = await world.Server.AddUserAsync("demoted@example.com", (await world.Server.FirstOrgAsync(), "member"));
        using var user = await world.Server.ClientOfAsync("demoted@example.com");
        var (guard, mcp, back) = await StartedAsync(world, fake, user);
        await world.Server.SetRoleAsync(id, role);
        (await StatusAsync(world, back)).ShouldBe(400);
        guard.TokenRequests.ShouldBeEmpty();
        await ShouldHaveNothingAsync(world, mcp, fake.Url);
    }

    private static async Task<(FakeAuthorisationServer Guard, string Mcp, string Back)> StartedAsync(McpWorld world, FakeMcpServer fake, HttpClient? user = null)
    {
        var guard = new FakeAuthorisationServer(fake);
        var mcp = (await world.AddAsync(new { name = "Guarded", transport = "streamable_http", url = fake.Url })).Text("id");
        var started = await world.PostAsync($"/api/mcps/{mcp}/oauth/start", new { }, user ?? await world.Server.LoginOwnerAsync()).ShouldBe(200);
        return (guard, mcp, guard.Consent(started.Text("authorizationUrl")));
    }

    private static async Task ShouldHaveNothingAsync(McpWorld world, string mcp, string url)
    {
        var server = await world.ReadAsync(mcp);
        (server.Text("url"), server.GetProperty("hasCredentials").GetBoolean(), (await world.RowAsync(mcp)).OauthTokens).ShouldBe((url, false, null));
    }

    private static async Task<int> StatusAsync(McpWorld world, string path)
    {
        using var response = await world.Server.Anonymous.GetAsync(path, Token);
        return (int)response.StatusCode;
    }
}
