namespace Flapjack.Server.Tests.Platform;

/// <summary>The fixture itself: other tests stand on it.</summary>
public sealed class FixtureTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Answers_over_a_real_socket()
    {
        await server.Anonymous.GetAsync("/nothing/here", Token).ShouldBeError(404, "NOT_FOUND");
        server.BaseAddress.Port.ShouldNotBe(0);
    }

    [Fact]
    public async Task Restarts_on_the_same_database()
    {
        await using var own = await ServerFixture.StartAsync();
        var first = own.BaseAddress;
        await own.RestartAsync();
        await own.Client.GetAsync("/nothing/here", Token).ShouldBeError(404, "NOT_FOUND");
        first.ShouldNotBeNull();
    }

    [Fact]
    public async Task Manual_time_fires_timers_in_order()
    {
        var time = new ManualTime();
        var fired = new List<DateTimeOffset>();
        await using var late = time.CreateTimer(_ => fired.Add(time.GetUtcNow()), null, TimeSpan.FromSeconds(30), Timeout.InfiniteTimeSpan);
        await using var often = time.CreateTimer(_ => fired.Add(time.GetUtcNow()), null, TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(20));
        time.Advance(TimeSpan.FromSeconds(50));
        fired.Select(f => (f - ManualTime.Start).TotalSeconds).ShouldBe([20, 30, 40]);
        time.GetUtcNow().ShouldBe(ManualTime.Start.AddSeconds(50));
    }
}
