using System.Diagnostics;
using System.Net;
using Flapjack.Server.Operations;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Operations;

public sealed class MetricsTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_are_counted_by_route_and_status()
    {
        var agent = Guid.CreateVersion7();
        await server.Client.GetAsync($"/api/agents/{agent}", Token).ShouldBeError(404, "NOT_FOUND");
        // A request is counted a moment after its answer.
        var text = await ReadAsync();
        for (var patience = Stopwatch.StartNew(); !text.Contains("status=\"404\"", StringComparison.Ordinal) && patience.Elapsed < TimeSpan.FromSeconds(30);) text = await ReadAsync();
        text.ShouldContain("# TYPE http_server_request_duration_seconds histogram");
        text.ShouldMatch("""http_server_request_duration_seconds_count\{method="GET",route="/api/agents/\{agentId:guid\}/?",status="404"\} [1-9]""");
        text.ShouldMatch("""http_server_request_duration_seconds_bucket\{[^}]*\{[^}]*\}[^}]*,le="\+Inf"\} [1-9]""");
        text.ShouldNotContain(agent.ToString());
    }

    [Fact]
    public async Task The_servers_own_numbers_are_shown()
    {
        var metrics = server.Services.GetRequiredService<ServerMetrics>();
        metrics.StreamOpened();
        metrics.StreamOpened();
        metrics.StreamClosed();
        metrics.TurnEnded("stop");
        metrics.TurnEnded("say \"hi\"\n");
        metrics.TokensUsed(10, 5);
        metrics.TokensUsed(1, 1, cacheRead: 7);
        var lines = (await ReadAsync()).Split('\n');
        lines.ShouldContain("flapjack_streams_active 1");
        lines.ShouldContain("flapjack_turns_total{finish=\"stop\"} 1");
        lines.ShouldContain("flapjack_turns_total{finish=\"say _hi__\"} 1");
        lines.ShouldContain("flapjack_tokens_total{kind=\"input\"} 11");
        lines.ShouldContain("flapjack_tokens_total{kind=\"cache_read\"} 7");
        lines.ShouldContain(l => l.StartsWith("process_resident_memory_bytes ", StringComparison.Ordinal));
        lines.ShouldContain(l => l.StartsWith("dotnet_gc_collections_total{generation=\"0\"} ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_proxied_stranger_gets_404()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Add("X-Forwarded-For", "203.0.113.9");
        await server.Anonymous.SendAsync(request, Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task With_a_token_it_is_required()
    {
        await using var own = await ServerFixture.StartAsync(settings => settings["Metrics:Token"] = "let me see");
        await own.Anonymous.GetAsync("/metrics", Token).ShouldBeError(401, "UNAUTHORIZED");
        await own.Client.GetAsync("/metrics", Token).ShouldBeError(401, "UNAUTHORIZED");
        using var client = own.ClientFor("let me see");
        using var response = await client.GetAsync("/metrics", Token);
        ((int)response.StatusCode).ShouldBe(200);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("10.1.2.3", true)]
    [InlineData("11.1.2.3", false)]
    public void Without_a_token_only_this_machine_and_listed_networks_may_read(string address, bool allowed)
    {
        var settings = ServerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection([new("Metrics:AllowedNetworks:0", "10.0.0.0/8")]).Build());
        var check = () => new MetricsAccess(settings).Check("", IPAddress.Parse(address), forwarded: false);
        if (allowed) check();
        else check.ShouldThrow<ApiException>().Status.ShouldBe(404);
    }

    [Fact]
    public void A_network_that_is_none_stops_the_start() =>
        Should.Throw<SettingsException>(() => ServerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection([new("Metrics:AllowedNetworks:0", "here")]).Build()))
            .Faults.ShouldContain(f => f.StartsWith("Metrics:AllowedNetworks:0", StringComparison.Ordinal));

    // A request is counted after its answer is sent, so the next one may come too early to see it.
    private async Task<string> ReadAsync()
    {
        await server.WaitForRunningRequestsAsync(0);
        using var response = await server.Anonymous.GetAsync("/metrics", Token);
        response.Header("Content-Type").ShouldBe("text/plain; version=0.0.4; charset=utf-8");
        return await response.Content.ReadAsStringAsync(Token);
    }
}
