using System.Text.Json;

namespace Flapjack.Server.Tests.Processes;

/// <summary>SIGTERM while streams run.</summary>
public sealed class ShutdownTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private const int Streams = 50;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(8);

    /// <summary>What a stream is: over before the grace period is, or later, with or without leave to go on when nobody listens.</summary>
    private enum Kind { Short, Long, GoesOn }

    [Fact]
    public async Task Readiness_is_red_at_once_short_streams_finish_and_the_rest_is_told()
    {
        await using var home = await ServerHome.CreateAsync();
        await using var server = await PublishedServer.StartAsync([.. home.Settings, $"--Server:ShutdownGraceSeconds={Grace.TotalSeconds}"]);
        var begun = new Begun(Streams);
        var threads = new List<Guid>();
        for (var i = 0; i < Streams; i++) threads.Add(await server.CreateThreadAsync());
        var streams = threads.Select((thread, i) => (Thread: thread, Kind: (Kind)(i % 3), Events: ReadAsync(server, thread, (Kind)(i % 3), begun))).ToList();
        await begun.WaitAsync();
        await server.TerminateAsync();
        await ShouldBeDrainingAsync(server, threads[0]);
        foreach (var (_, kind, reading) in streams)
        {
            var end = (await reading.WaitAsync(TimeSpan.FromSeconds(30), Token))[^1];
            end.Event.ShouldBe(kind == Kind.Short ? "done" : "error");
            if (kind != Kind.Short) end.Data.GetProperty("code").GetString().ShouldBe("SERVER_SHUTDOWN");
        }
        (await server.ExitCodeAsync(TimeSpan.FromSeconds(20))).ShouldBe(0);
        server.Output.ShouldNotContain("fail:");

        await using var again = await PublishedServer.StartAsync(home.Settings);
        foreach (var (thread, kind, reading) in streams) await ShouldBeStoredAsync(again, thread, kind, await reading);
    }

    private static async Task ShouldBeDrainingAsync(PublishedServer server, Guid thread)
    {
        await PublishedServer.UntilAsync(Grace, "readiness is red", async () =>
        {
            using var response = await server.Client.GetAsync("/readyz", Token);
            return (int)response.StatusCode == 503;
        });
        (await server.Client.GetAsync("/healthz", Token).ShouldBe(200)).GetProperty("status").GetString().ShouldBe("ok");
        using var refused = await server.PostAsync(thread, "too late");
        await refused.ShouldBeErrorAsync(503, "SERVICE_UNAVAILABLE");
        refused.Header("Retry-After").ShouldNotBeNull();
    }

    private static async Task ShouldBeStoredAsync(PublishedServer server, Guid thread, Kind kind, List<ServerEvent> events)
    {
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "nothing runs in the thread", async () => (await server.CallAsync(HttpMethod.Get, $"/api/threads/{thread}")).GetProperty("active_turn_id").ValueKind == JsonValueKind.Null);
        var messages = await server.MessagesAsync(thread);
        messages.Count.ShouldBe(2);
        messages[1].GetProperty("error").GetString().ShouldBe(kind == Kind.Long ? "SERVER_SHUTDOWN" : null);
        var seen = string.Concat(events.Where(e => e.Event == "token").Select(e => e.Data.GetProperty("delta").GetString()));
        messages[1].GetProperty("content").GetString().ShouldBe(kind == Kind.GoesOn ? string.Join(' ', Enumerable.Range(1, Length(kind))) : seen);
        (await server.AskAsync(thread, "/echo on"))[^1].Event.ShouldBe("done");
    }

    private static async Task<List<ServerEvent>> ReadAsync(PublishedServer server, Guid thread, Kind kind, Begun begun)
    {
        using var response = await server.PostAsync(thread, $"/count {Length(kind)} 50", onDisconnect: kind == Kind.GoesOn ? "continue" : "cancel");
        var events = new List<ServerEvent>();
        await foreach (var @event in ServerEvent.ReadAsync(response, Token))
        {
            events.Add(@event);
            if (events.Count == 3) begun.Count();
        }
        return events;
    }

    private static int Length(Kind kind) => kind switch
    {
        Kind.Short => 20,
        // Longer than the grace period, and again after the restart.
        Kind.GoesOn => 280,
        _ => 90_000,
    };
}
