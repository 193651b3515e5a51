namespace Flapjack.Server.Tests.Platform;

public sealed class RateLimitTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_caller_has_so_many_requests_a_minute()
    {
        await using var server = await ServerFixture.StartAsync(settings => settings["Limits:RequestsPerMinute"] = "2");
        using (var first = await server.Client.GetAsync("/api/agents", Token))
        {
            first.Header("X-RateLimit-Limit").ShouldBe("2");
            first.Header("X-RateLimit-Remaining").ShouldBe("1");
            first.Header("X-RateLimit-Reset").ShouldBe("60");
        }
        await server.Client.GetAsync("/api/agents", Token).ShouldBe(200);
        server.Time.Advance(TimeSpan.FromSeconds(20));
        using (var refused = await server.Client.GetAsync("/api/agents", Token))
        {
            await refused.ShouldBeErrorAsync(429, "RATE_LIMITED");
            refused.Header("Retry-After").ShouldBe("40");
            refused.Header("X-RateLimit-Remaining").ShouldBe("0");
        }
        server.Time.Advance(TimeSpan.FromSeconds(40));
        await server.Client.GetAsync("/api/agents", Token).ShouldBe(200);
    }

    [Fact]
    public async Task Zero_switches_the_limit_off()
    {
        await using var server = await ServerFixture.StartAsync();
        using var response = await server.Client.GetAsync("/api/agents", Token);
        response.Header("X-RateLimit-Limit").ShouldBeNull();
    }
}
