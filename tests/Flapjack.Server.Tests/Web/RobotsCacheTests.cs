using System.Net;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Web.Reading;
using Microsoft.Extensions.Configuration;

namespace Flapjack.Server.Tests.Web;

/// <summary>What is remembered of sites.</summary>
public sealed class RobotsCacheTests
{
    private const int Sites = 40;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, false)]
    [InlineData(1_000, true)]
    public async Task Rules_are_remembered_as_long_as_they_take_little_room(int rules, bool tooMuch)
    {
        await using var web = await FakeWeb.StartAsync();
        web.Page("/robots.txt", "User-agent: *\n" + string.Concat(Enumerable.Repeat($"Disallow: /{new string('a', 499)}\n", rules)), "text/plain");
        var settings = ServerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection([new("Network:AllowedHosts:0", "loopback")]).Build());
        var time = new ManualTime();
        using var http = new OutboundHttp(new EgressGuard(settings, (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback])), time);
        using var robots = new RobotsCache(http, time);
        for (var i = 0; i < Sites * 2; i++) (await robots.OfAsync(new Uri($"http://site{i % Sites}.example:{new Uri(web.Address).Port}/x"), Token)).Allows(new Uri("http://site.example/x")).ShouldBeTrue();
        // A thousand of the longest rules are a megabyte, of which there is room for 32.
        if (tooMuch) web.Calls.Count.ShouldBeGreaterThanOrEqualTo(Sites + Sites - 32);
        else web.Calls.Count.ShouldBe(Sites);
    }
}
