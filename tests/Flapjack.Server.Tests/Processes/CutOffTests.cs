using System.Text.Json;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Processes;

/// <summary>Clients that are cut off at random bytes. Their messages are kept; those that come back miss and see double nothing; for those that had said <c>cancel</c> the model is stopped.</summary>
/// <remarks><c>bin/endure clients</c> runs this with five hundred.</remarks>
public sealed class CutOffTests
{
    private const int Pieces = 40;
    private const int LongestAnswer = 5_000;

    // The short form runs beside other suites.
    private static readonly TimeSpan PromisedAbort = TimeSpan.FromSeconds(Endurance.IsLong ? 2 : 30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static int Clients => Endurance.Clients(40);

    [Fact]
    public async Task Who_comes_back_reads_on_exactly_where_it_was_cut()
    {
        await using var model = await FakeUpstream.StartAsync();
        model.OtherwiseReply(Script.Text([.. Enumerable.Range(1, Pieces).Select(n => $"wört {n} 🥞 ")]).Paced(() => Task.Delay(25)));
        await using var home = await ServerHome.CreateAsync();
        await using var server = await StartAsync(home, model);
        var threads = await OpenAsync(server);
        var cuts = (await Task.WhenAll(threads.Select((thread, i) => FollowAsync(server, thread, new Random(i))))).Sum();
        cuts.ShouldBeGreaterThan(Clients);
        Endurance.Say($"{Clients} clients were cut off {cuts} times");
    }

    [Fact]
    public async Task Nobody_listens_so_the_model_is_stopped()
    {
        await using var model = await FakeUpstream.StartAsync();
        model.OtherwiseReply(Script.Text("one ", "two ", "three ", "four ", "five").SilentAfter(5));
        await using var home = await ServerHome.CreateAsync();
        await using var server = await StartAsync(home, model);
        var threads = await OpenAsync(server);
        var wires = await Task.WhenAll(threads.Select(async (thread, i) =>
        {
            var wire = await RawClient.SendAsync(server.Client.BaseAddress!, Post(thread, "cancel"));
            await wire.ReadAsync(new Random(i).Next(1, LongestAnswer), until: "five");
            return wire;
        }));
        for (var i = 0; i < wires.Length; i++) wires[i].Cut(isReset: i % 2 == 0);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        await PublishedServer.UntilAsync(PromisedAbort, "every call of the model is aborted", () => Task.FromResult(model.Abandoned == model.Requests.Count && model.Abandoned >= wires.Count(w => w.Text.Contains("event: token", StringComparison.Ordinal))));
        Endurance.Say($"{model.Abandoned} calls of the model were aborted {watch.ElapsedMilliseconds} ms after {Clients} clients were cut off");
        foreach (var (thread, wire) in threads.Zip(wires))
        {
            // Stopped before the model said anything, a turn leaves no answer.
            await ShouldBeKeptAsync(server, thread, wire.Text.Contains("event: meta", StringComparison.Ordinal), isAnswered: wire.Text.Contains("event: token", StringComparison.Ordinal));
        }
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "no call goes on", () => Task.FromResult(model.Abandoned == model.Requests.Count));
    }

    // Cut two or three times, then left alone. The message was stored once, and all pieces together are the answer.
    private static async Task<int> FollowAsync(PublishedServer server, Guid thread, Random random)
    {
        var seen = new List<ServerEvent>();
        var cuts = random.Next(2, 4);
        for (var i = 0; seen.Count == 0 || seen[^1].Event != "done"; i++)
        {
            using var wire = await RawClient.SendAsync(server.Client.BaseAddress!, i == 0 ? Post(thread, "continue") : Attach(thread, seen));
            await wire.ReadAsync(i < cuts ? random.Next(1, LongestAnswer / 2) : int.MaxValue);
            wire.Cut(isReset: random.Next(2) == 0);
            foreach (var @event in wire.Events())
            {
                if (seen.Count > 0) @event.Sequence.ShouldBe(seen[^1].Sequence + 1, $"{thread}: {@event.Id} came after {seen[^1].Id}");
                seen.Add(@event);
            }
            // Cut before anything was acknowledged: there may be no turn, or one that is over.
            if (i >= cuts && seen.Count == 0)
            {
                await ShouldBeKeptAsync(server, thread, isAcknowledged: false, isAnswered: true);
                return cuts;
            }
        }
        var content = seen[^1].Data.GetProperty("content").GetString();
        string.Concat(seen.Where(e => e.Event == "token").Select(e => e.Data.GetProperty("delta").GetString())).ShouldBe(content);
        var messages = await server.MessagesAsync(thread);
        messages.Select(m => m.GetProperty("content").GetString()).ShouldBe(["hello", content]);
        return cuts;
    }

    private static async Task ShouldBeKeptAsync(PublishedServer server, Guid thread, bool isAcknowledged, bool isAnswered)
    {
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "the turn is over", async () => (await server.CallAsync(HttpMethod.Get, $"/api/threads/{thread}")).GetProperty("active_turn_id").ValueKind == JsonValueKind.Null);
        var roles = (await server.MessagesAsync(thread)).Select(m => m.GetProperty("role").GetString()).ToList();
        if (isAcknowledged) roles.Count.ShouldBeGreaterThan(0, $"{thread} lost its message");
        if (roles.Count == 0) return;
        roles[0].ShouldBe("user");
        if (isAnswered || roles.Count > 1) roles.ShouldBe(["user", "assistant"]);
    }

    private static string Post(Guid thread, string onDisconnect)
    {
        var body = $$"""{"content":"hello","onDisconnect":"{{onDisconnect}}"}""";
        return $"POST /api/threads/{thread}/messages HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}";
    }

    private static string Attach(Guid thread, List<ServerEvent> seen) =>
        $"GET /api/threads/{thread}/stream HTTP/1.0\r\n{(seen.Count > 0 ? $"Last-Event-ID: {seen[^1].Id}\r\n" : "")}\r\n";

    private static Task<PublishedServer> StartAsync(ServerHome home, FakeUpstream model) => PublishedServer.StartAsync(
        [.. home.Settings, "--Providers:fake:Kind=openai_compatible", $"--Providers:fake:BaseUrl={model.OpenAI}", "--Providers:fake:ApiKey=sk-test", "--Providers:fake:Models:0=one"]);

    private static async Task<List<Guid>> OpenAsync(PublishedServer server)
    {
        var agent = (await server.CallAsync(HttpMethod.Post, "/api/agents", """{"name":"Ada","defaultModel":"fake/one"}""", 201)).GetProperty("id").GetGuid();
        var threads = new List<Guid>();
        for (var i = 0; i < Clients; i++) threads.Add((await server.CallAsync(HttpMethod.Post, "/api/threads", $$"""{"agentId":"{{agent}}"}""")).GetProperty("id").GetGuid());
        return threads;
    }
}
