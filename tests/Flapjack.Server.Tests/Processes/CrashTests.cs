using System.Diagnostics;
using System.Globalization;

namespace Flapjack.Server.Tests.Processes;

/// <summary><c>kill -9</c> in the middle of work. What was acknowledged is there, once; what was not is there at most once; every thread goes on; turns that were to continue are answered in full.</summary>
/// <remarks><c>bin/crash</c> runs this with more rounds.</remarks>
public sealed class CrashTests
{
    private const int Streams = 20;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("FLAPJACK_CRASH_ROUNDS"), CultureInfo.InvariantCulture, out var rounds) ? rounds : 3;

    [Fact]
    public async Task Kill_9_loses_and_doubles_nothing_that_was_acknowledged()
    {
        await using var home = await ServerHome.CreateAsync();
        // On PostgreSQL a dead node's turns end with their lease; nobody can know earlier that it is dead.
        string[] settings = [.. home.Settings, "--Turns:LeaseSeconds=2"];
        var server = await PublishedServer.StartAsync(settings);
        try
        {
            var threads = new List<Guid>();
            for (var i = 0; i < Streams; i++) threads.Add(await server.CreateThreadAsync());
            var acknowledged = threads.ToDictionary(t => t, _ => new List<string>());
            var sent = threads.ToDictionary(t => t, _ => new List<string>());
            for (var round = 0; round < Rounds; round++)
            {
                await StreamAndKillAsync(server, round, threads, acknowledged, sent);
                await server.DisposeAsync();
                var watch = Stopwatch.StartNew();
                server = await PublishedServer.StartAsync(settings);
                await server.CallAsync(HttpMethod.Get, $"/api/threads/{threads[0]}");
                TestContext.Current.TestOutputHelper!.WriteLine($"round {round + 1}: {acknowledged.Values.Sum(a => a.Count)} acknowledged of {sent.Values.Sum(s => s.Count)} sent so far; first answer {watch.ElapsedMilliseconds} ms after the restart");
                watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
                foreach (var thread in threads) await CheckAsync(server, thread, acknowledged[thread], sent[thread]);
                await RepeatAsync(server, round, threads[0]);
            }
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    // Every stream is under way when the process dies, each at another moment of its life: some have only been sent.
    private static async Task StreamAndKillAsync(PublishedServer server, int round, List<Guid> threads, Dictionary<Guid, List<string>> acknowledged, Dictionary<Guid, List<string>> sent)
    {
        var underWay = new CountdownEvent(Streams / 2);
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var streams = threads.Select(async (thread, i) =>
        {
            var goesOn = i % 2 == 1;
            var content = goesOn ? $"/count {200 + round} 5" : $"/count {10_000 + round * 100 + i} 5";
            sent[thread].Add(content);
            try
            {
                using var response = await server.PostAsync(thread, content, i == 0 ? $"crash-{round}" : null, goesOn ? "continue" : "cancel");
                await foreach (var @event in ServerEvent.ReadAsync(response, Token))
                {
                    if (@event.Event == "meta") acknowledged[thread].Add(content);
                    if (@event.Sequence == 2 + i % 5 && underWay.Signal()) enough.TrySetResult();
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidOperationException)
            {
                // It died, which is the point.
            }
        }).ToList();
        await enough.Task.WaitAsync(TimeSpan.FromSeconds(60), Token);
        await server.KillAsync();
        await Task.WhenAll(streams).WaitAsync(TimeSpan.FromSeconds(60), Token);
    }

    private static async Task CheckAsync(PublishedServer server, Guid thread, List<string> acknowledged, List<string> sent)
    {
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(20), $"thread {thread} takes messages again", async () =>
        {
            using var response = await server.PostAsync(thread, "/echo alive");
            if ((int)response.StatusCode == 409) return false;
            await response.ShouldBeStreamAsync();
            return true;
        });
        var messages = await server.MessagesAsync(thread);
        var contents = messages.Where(m => m.GetProperty("role").GetString() == "user").Select(m => m.GetProperty("content").GetString()!).ToList();
        foreach (var content in acknowledged) contents.Count(c => c == content).ShouldBe(1, $"acknowledged '{content}' in {thread}");
        foreach (var content in sent) contents.Count(c => c == content).ShouldBeLessThanOrEqualTo(1, $"sent '{content}' in {thread}");
        messages.Select(m => m.GetProperty("id").GetGuid()).ShouldBeUnique();
        messages[^1].GetProperty("content").GetString().ShouldBe("alive");
        ShouldBeAnswered(messages, acknowledged);
    }

    // A turn without listener policy ends with what was seen of it, which is the beginning of its answer; one that was to go on has the whole.
    private static void ShouldBeAnswered(List<System.Text.Json.JsonElement> messages, List<string> acknowledged)
    {
        foreach (var content in acknowledged)
        {
            var answer = messages[messages.FindIndex(m => m.GetProperty("content").GetString() == content) + 1];
            answer.GetProperty("role").GetString().ShouldBe("assistant");
            var whole = string.Join(' ', Enumerable.Range(1, int.Parse(content.Split(' ')[1], CultureInfo.InvariantCulture)));
            if (whole.Length < 2_000) (answer.GetProperty("error").ToString(), answer.GetProperty("content").GetString()).ShouldBe(("", whole));
            else whole.ShouldStartWith(answer.GetProperty("content").GetString()!);
        }
    }

    // The client that saw its stream break asks again under its key: the message is not stored a second time.
    private static async Task RepeatAsync(PublishedServer server, int round, Guid thread)
    {
        var content = $"/count {10_000 + round * 100} 5";
        bool answered;
        using (var response = await server.PostAsync(thread, content, $"crash-{round}"))
        {
            answered = (int)response.StatusCode == 200;
            if (answered) await response.ShouldBeStreamAsync();
            else ((int)response.StatusCode).ShouldBe(409);
        }
        // Killed between the claim of the key and the turn, nothing is stored and the key is held until the claim counts as abandoned.
        var stored = (await server.MessagesAsync(thread)).Count(m => m.GetProperty("content").GetString() == content);
        if (answered) stored.ShouldBe(1);
        else stored.ShouldBeLessThanOrEqualTo(1);
    }
}

internal static class StreamAnswers
{
    /// <summary>A stream with its one terminal event at the end.</summary>
    public static async Task<List<ServerEvent>> ShouldBeStreamAsync(this HttpResponseMessage response)
    {
        if ((int)response.StatusCode != 200) await response.ShouldBeAsync(200);
        var events = new List<ServerEvent>();
        await foreach (var @event in ServerEvent.ReadAsync(response, TestContext.Current.CancellationToken)) events.Add(@event);
        events[^1].Event.ShouldBeOneOf("done", "error");
        events.Count(e => e.Event is "done" or "error" or "requires_action").ShouldBe(1);
        return events;
    }
}
