using System.Globalization;

namespace Flapjack.Server.Tests.Accounts;

/// <summary>Each test has its own server: failures count per network address, and all tests have the same.</summary>
public sealed class LoginLimitTests
{
    [Fact]
    public async Task After_ten_failures_an_email_waits()
    {
        await using var server = await ServerFixture.StartAsync(settings => settings["Limits:LoginFailures"] = "10");
        for (var i = 0; i < 10; i++) await server.TryLoginAsync(ServerFixture.OwnerEmail, "wrong password").ShouldBeError(401, "INVALID_CREDENTIALS");
        server.Time.Advance(TimeSpan.FromMinutes(5));
        using var refused = await server.TryLoginAsync(ServerFixture.OwnerEmail, ServerFixture.OwnerPassword);
        await refused.ShouldBeErrorAsync(429, "RATE_LIMITED");
        int.Parse(refused.Header("Retry-After")!, CultureInfo.InvariantCulture).ShouldBe(600);
        server.Time.Advance(TimeSpan.FromMinutes(10));
        await server.TryLoginAsync(ServerFixture.OwnerEmail, ServerFixture.OwnerPassword).ShouldBe(200);
    }

    [Fact]
    public async Task Failures_under_many_names_count_for_the_address()
    {
        await using var server = await ServerFixture.StartAsync(settings => settings["Limits:LoginFailures"] = "3");
        for (var i = 0; i < 3; i++) await server.TryLoginAsync($"guess{i}@example.com", "wrong password").ShouldBeError(401, "INVALID_CREDENTIALS");
        await server.TryLoginAsync("fresh@example.com", "wrong password").ShouldBeError(429, "RATE_LIMITED");
    }

    [Fact]
    public async Task Simultaneous_guesses_do_not_slip_through()
    {
        await using var server = await ServerFixture.StartAsync(settings => settings["Limits:LoginFailures"] = "3");
        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => server.TryLoginAsync(ServerFixture.OwnerEmail, "wrong password")));
        responses.Count(r => (int)r.StatusCode == 401).ShouldBeLessThan(3 + Math.Max(1, Environment.ProcessorCount / 2));
        responses.ShouldAllBe(r => (int)r.StatusCode == 401 || (int)r.StatusCode == 429);
        foreach (var response in responses) response.Dispose();
    }

    [Fact]
    public async Task A_success_forgives_the_email_and_zero_switches_the_limit_off()
    {
        await using var server = await ServerFixture.StartAsync();
        for (var i = 0; i < 12; i++) await server.TryLoginAsync(ServerFixture.OwnerEmail, "wrong password").ShouldBeError(401, "INVALID_CREDENTIALS");
        await server.TryLoginAsync(ServerFixture.OwnerEmail, ServerFixture.OwnerPassword).ShouldBe(200);
    }
}
