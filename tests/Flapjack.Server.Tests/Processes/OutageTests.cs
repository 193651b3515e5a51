using System.Diagnostics;
using Npgsql;

namespace Flapjack.Server.Tests.Processes;

/// <summary>The database goes away under a running server: it says so within seconds, lives on, and goes on by itself when the database is back.</summary>
public sealed class OutageTests
{
    // The short form runs beside other suites.
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(Endurance.IsLong ? 5 : 15);

    // Long enough to be under way when the database goes away.
    private const int Last = 120;
    private static readonly string Long = $"/count {Last} 50";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("refused")]
    [InlineData("silent")]
    [InlineData("slow")]
    public async Task PostgreSQL_is_unreachable(string how)
    {
        Assert.SkipUnless(TestDatabase.IsPostgres, "a test of PostgreSQL");
        await using var home = await ServerHome.CreateAsync();
        var address = new NpgsqlConnectionStringBuilder(home.ConnectionString);
        await using var relay = new DatabaseRelay(address.Host!, address.Port);
        (address.Host, address.Port) = ("127.0.0.1", relay.Port);
        await using var server = await PublishedServer.StartAsync([.. PublishedServer.Settings(home.Directory, address.ConnectionString), "--Turns:LeaseSeconds=2"]);
        var thread = await server.CreateThreadAsync();
        var caught = await server.CreateThreadAsync();
        var said = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = CountAsync(server, caught, said);
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(20), "the turn runs", async () => (await server.CallAsync(HttpMethod.Get, $"/api/threads/{caught}")).GetProperty("active_turn_id").ValueKind == System.Text.Json.JsonValueKind.String);
        if (how == "refused") relay.Stop();
        else if (how == "silent") relay.FallSilent();
        else await SlowDownAsync(relay, server);
        await ShouldBeUnavailableAsync(server, thread);
        // Never done without its row on disk: the turn has said everything, and waits for the database.
        await said.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
        running.IsCompleted.ShouldBeFalse();
        relay.Resume();
        var events = await running.WaitAsync(TimeSpan.FromSeconds(60), Token);
        events[^1].Event.ShouldBe("done");
        (await server.MessagesAsync(caught)).Single(m => m.GetProperty("role").GetString() == "assistant").GetProperty("content").GetString().ShouldBe(events[^1].Data.GetProperty("content").GetString());
        await ShouldRecoverAsync(server, thread);
        await ShouldRecoverAsync(server, caught);
        (await server.MessagesAsync(caught)).Count(m => m.GetProperty("content").GetString() == Long).ShouldBe(1);
    }

    [Fact]
    public async Task The_disk_under_SQLite_is_full()
    {
        Assert.SkipWhen(TestDatabase.IsPostgres, "a test of SQLite");
        await using var home = await ServerHome.CreateAsync();
        await using var server = await StartOnSmallDiskAsync(home);
        var thread = await server.CreateThreadAsync();
        (await server.AskAsync(thread, "/echo before"))[^1].Event.ShouldBe("done");
        var disk = $"/proc/{server.Id}/root{home.Directory}";
        var filler = Path.Combine(disk, "filler");
        Fill(filler);
        await ShouldBeUnavailableAsync(server, thread);
        File.Delete(filler);
        await ShouldRecoverAsync(server, thread);
        (await server.MessagesAsync(thread)).Count(m => m.GetProperty("role").GetString() == "user" && m.GetProperty("content").GetString()!.StartsWith("lost", StringComparison.Ordinal)).ShouldBe(0);
    }

    private static async Task<List<ServerEvent>> CountAsync(PublishedServer server, Guid thread, TaskCompletionSource said)
    {
        using var response = await server.PostAsync(thread, Long);
        var events = new List<ServerEvent>();
        await foreach (var @event in ServerEvent.ReadAsync(response, Token))
        {
            events.Add(@event);
            if (@event.Event == "token" && @event.Data.GetProperty("delta").GetString()!.Trim() == $"{Last}") said.TrySetResult();
        }
        return events;
    }

    // What is under way when it begins may still succeed; once it is seen, nobody is kept waiting.
    private static async Task SlowDownAsync(DatabaseRelay relay, PublishedServer server)
    {
        relay.SlowDown(TimeSpan.FromSeconds(1.2));
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(20), "readiness is red", async () =>
        {
            var since = Stopwatch.GetTimestamp();
            using var response = await server.Client.GetAsync("/readyz", Token);
            Stopwatch.GetElapsedTime(since).ShouldBeLessThan(Promised);
            return (int)response.StatusCode == 503;
        });
    }

    private static async Task ShouldBeUnavailableAsync(PublishedServer server, Guid thread)
    {
        foreach (var (method, path, json) in new[]
        {
            (HttpMethod.Post, "/api/agents", """{"name":"lost"}"""), (HttpMethod.Post, $"/api/threads/{thread}/messages", $$"""{"content":"lost {{new string('x', 300_000)}}"}"""),
            (HttpMethod.Post, "/api/agents", """{"name":"lost again"}"""),
        })
        {
            var since = Stopwatch.GetTimestamp();
            using var request = new HttpRequestMessage(method, path) { Content = JsonText.Content(json) };
            using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
            var took = Stopwatch.GetElapsedTime(since);
            TestContext.Current.TestOutputHelper!.WriteLine($"{method} {path}: {(int)response.StatusCode} after {took.TotalMilliseconds:0} ms");
            await response.ShouldBeErrorAsync(503, "SERVICE_UNAVAILABLE");
            response.Header("Retry-After").ShouldNotBeNull();
            took.ShouldBeLessThan(Promised);
        }
        (await server.CallAsync(HttpMethod.Get, "/healthz")).GetProperty("status").GetString().ShouldBe("ok");
        using var ready = await server.Client.GetAsync("/readyz", Token);
        ((int)ready.StatusCode).ShouldBe(503, await ready.Content.ReadAsStringAsync(Token));
    }

    private static async Task ShouldRecoverAsync(PublishedServer server, Guid thread)
    {
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), $"thread {thread} works again", async () =>
        {
            using var response = await server.PostAsync(thread, "/echo back");
            return (int)response.StatusCode == 200 && (await response.ShouldBeStreamAsync())[^1].Event == "done";
        });
        using var ready = await server.Client.GetAsync("/readyz", Token);
        ((int)ready.StatusCode).ShouldBe(200);
    }

    // A file system of its own, seen only by the server: root needs no more than a mount namespace, others a user namespace.
    private static async Task<PublishedServer> StartOnSmallDiskAsync(ServerHome home)
    {
        string[] flags = Environment.IsPrivilegedProcess ? ["-m"] : ["-Urm"];
        var mount = $"mount -t tmpfs -o size=4m tmpfs {home.Directory}";
        var trial = await PublishedServer.RunAsync(new ProcessStartInfo("unshare", [.. flags, "sh", "-c", mount]));
        Assert.SkipWhen(trial.Code != 0, $"no small disk can be made here: {trial.Output.Trim()}");
        var start = PublishedServer.Command(home.Settings);
        return await PublishedServer.StartAsync(new ProcessStartInfo("unshare", [.. flags, "sh", "-c", $"{mount} && exec \"$@\"", "sh", "dotnet", .. start.ArgumentList]));
    }

    private static void Fill(string path)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1);
        var block = new byte[4096];
        try
        {
            while (true)
            {
                file.Write(block);
                file.Flush();
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }
}
