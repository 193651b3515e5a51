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

    [Fact]
    public async Task Failures_of_an_account_count_for_all_nodes_together()
    {
        await using var server = await ServerFixture.StartAsync(settings => settings["Limits:LoginFailures"] = "2");
        for (var i = 0; i < 2; i++) await server.TryLoginAsync(ServerFixture.OwnerEmail, "wrong").ShouldBeError(401, "INVALID_CREDENTIALS");
        // A node that comes later knows no address, but it knows the account.
        await server.RestartAsync();
        await server.TryLoginAsync("nobody@example.com", "wrong").ShouldBeError(401, "INVALID_CREDENTIALS");
        using var refused = await server.TryLoginAsync(ServerFixture.OwnerEmail, ServerFixture.OwnerPassword);
        await refused.ShouldBeErrorAsync(429, "RATE_LIMITED");
        refused.Header("Retry-After").ShouldBe("900");
        server.Time.Advance(TimeSpan.FromMinutes(15));
        await server.TryLoginAsync(ServerFixture.OwnerEmail, ServerFixture.OwnerPassword).ShouldBe(200);
        await using var db = server.Database();
        db.Set<Flapjack.Server.Accounts.Credentials.LoginFailure>().Select(f => f.Key).ToList().ShouldAllBe(key => !key.Contains('@'));
    }

    [Fact]
    public async Task Addresses_behind_a_trusted_proxy_are_told_apart_and_others_cannot_invent_one()
    {
        await using var trusting = await ServerFixture.StartAsync(settings => (settings["Limits:LoginFailures"], settings["Server:TrustedProxies:0"]) = ("2", "127.0.0.0/8"));
        for (var i = 0; i < 2; i++) (await TryAsync(trusting, $"a{i}", "6.6.6.6, 203.0.113.7")).ShouldBe(401);
        (await TryAsync(trusting, "a2", "9.9.9.9, 203.0.113.7, 127.0.0.9")).ShouldBe(429, "the proxy's own word counts, not what the client wrote before it");
        (await TryAsync(trusting, "a3", "203.0.113.8")).ShouldBe(401);

        await using var wary = await ServerFixture.StartAsync(settings => settings["Limits:LoginFailures"] = "2");
        for (var i = 0; i < 2; i++) (await TryAsync(wary, $"b{i}", $"203.0.113.{i}")).ShouldBe(401);
        (await TryAsync(wary, "b2", "203.0.113.9")).ShouldBe(429);

        static async Task<int> TryAsync(ServerFixture server, string name, string forwardedFor)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/auth/login") { Content = JsonText.Content($$"""{"email":"{{name}}@example.com","password":"wrong"}""") };
            request.Headers.Add("X-Forwarded-For", forwardedFor);
            using var response = await server.Anonymous.SendAsync(request, TestContext.Current.CancellationToken);
            return (int)response.StatusCode;
        }
    }
}
