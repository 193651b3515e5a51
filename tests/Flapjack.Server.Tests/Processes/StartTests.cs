using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Flapjack.Server.Tests.Processes;

/// <summary>Starting the published server: what an operator reads, and how long it takes.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task Faults_of_the_settings_are_named_all_at_once()
    {
        var (code, output) = await PublishedServer.RunAsync(PublishedServer.Command("--Turns:MaxToolCalls=0", "--Server:PublicUrl=nonsense", "--Bootstrap:Password=short", "--Auth:SignupMode=perhaps", "--Providers:My Model:Kind=telepathy"));
        code.ShouldBe(1, output);
        foreach (var key in new[] { "Turns:MaxToolCalls", "Server:PublicUrl", "Bootstrap:Password", "Bootstrap:Email", "Auth:SignupMode", "Providers:My Model" }) output.ShouldContain(key);
        output.ShouldNotContain("   at ");
        output.ShouldNotContain("'short'");
    }

    [Fact]
    public async Task The_first_start_prints_commands_that_work_and_the_second_prints_nothing()
    {
        await using var home = await ServerHome.CreateAsync();
        string[] settings = [.. home.Settings.Where(s => !s.StartsWith("--Bootstrap", StringComparison.Ordinal))];
        await using (var server = await PublishedServer.StartAsync(settings))
        {
            await PublishedServer.UntilAsync(TimeSpan.FromSeconds(60), "the welcome is printed", () => Task.FromResult(server.Output.Contains("curl -sN", StringComparison.Ordinal)));
            server.Output.ShouldContain("/login?token=");
            var lines = server.Output.Split('\n').SkipWhile(line => !line.StartsWith("KEY=", StringComparison.Ordinal)).Take(3).ToList();
            lines[0].ShouldMatch("^KEY=fj_live_[0-9a-f]{64}$");
            var (_, answer) = await PublishedServer.RunAsync(new ProcessStartInfo("bash"), string.Join('\n', lines) + "\n");
            answer.ShouldContain("event: meta");
            answer.ShouldContain("event: done");
            Regex.Count(answer, "event: token").ShouldBeGreaterThan(0);
        }
        await using var again = await PublishedServer.StartAsync(settings);
        again.Output.ShouldNotContain("login?token");
        again.Output.ShouldNotContain("fj_live_");
        again.Output.ShouldNotContain("curl");
    }

    [Fact]
    public async Task It_is_ready_soon_and_small_when_idle()
    {
        await using var home = await ServerHome.CreateAsync();
        await using (await PublishedServer.StartAsync(home.Settings)) { }
        await using var server = await PublishedServer.StartAsync(home.Settings);
        var memory = server.ResidentMegabytes();
        TestContext.Current.TestOutputHelper!.WriteLine($"ready after {server.ReadyAfter.TotalMilliseconds:0} ms, {memory} MB resident when idle");
        if (Endurance.IsLong) server.ReadyAfter.ShouldBeLessThan(TimeSpan.FromSeconds(20));
        memory.ShouldBeLessThan(400);
    }
}
