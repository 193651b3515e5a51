namespace Flapjack.Server.Tests.Processes;

/// <summary>SIGTERM while streams run.</summary>
public sealed class ShutdownTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Readiness_is_red_at_once_short_streams_finish_and_the_rest_is_told()
    {
        await using var home = await ServerHome.CreateAsync();
        await using var server = await PublishedServer.StartAsync([.. home.Settings, "--Server:ShutdownGraceSeconds=5"]);
        var streams = new List<(Guid Thread, bool IsShort, Task<List<ServerEvent>> Events)>();
        var begun = new CountdownEvent(10);
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (var i = 0; i < 10; i++)
        {
            var thread = await server.CreateThreadAsync();
            streams.Add((thread, i % 2 == 0, ReadAsync(thread, i % 2 == 0 ? "/count 40 50" : "/count 90000 50")));
        }
        await all.Task.WaitAsync(TimeSpan.FromSeconds(60), Token);
        await server.TerminateAsync();
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(2), "readiness is red", async () =>
        {
            using var response = await server.Client.GetAsync("/readyz", Token);
            return (int)response.StatusCode == 503;
        });
        (await server.Client.GetAsync("/healthz", Token).ShouldBe(200)).GetProperty("status").GetString().ShouldBe("ok");
        using (var refused = await server.PostAsync(streams[0].Thread, "too late"))
        {
            await refused.ShouldBeErrorAsync(503, "SERVICE_UNAVAILABLE");
            refused.Header("Retry-After").ShouldNotBeNull();
        }
        foreach (var (_, isShort, reading) in streams)
        {
            var events = await reading.WaitAsync(TimeSpan.FromSeconds(30), Token);
            events[^1].Event.ShouldBe(isShort ? "done" : "error");
            if (!isShort) events[^1].Data.GetProperty("code").GetString().ShouldBe("SERVER_SHUTDOWN");
        }
        (await server.ExitCodeAsync(TimeSpan.FromSeconds(20))).ShouldBe(0);
        server.Output.ShouldNotContain("fail:");

        await using var again = await PublishedServer.StartAsync(home.Settings);
        foreach (var (thread, isShort, reading) in streams)
        {
            var answer = (await again.MessagesAsync(thread))[^1];
            answer.GetProperty("error").GetString().ShouldBe(isShort ? null : "SERVER_SHUTDOWN");
            answer.GetProperty("content").GetString().ShouldBe(string.Concat((await reading).Where(e => e.Event == "token").Select(e => e.Data.GetProperty("delta").GetString())));
            (await again.AskAsync(thread, "/echo on"))[^1].Event.ShouldBe("done");
        }

        async Task<List<ServerEvent>> ReadAsync(Guid thread, string content)
        {
            using var response = await server.PostAsync(thread, content);
            var events = new List<ServerEvent>();
            await foreach (var @event in ServerEvent.ReadAsync(response, Token))
            {
                events.Add(@event);
                if (events.Count == 3 && begun.Signal()) all.SetResult();
            }
            return events;
        }
    }
}
