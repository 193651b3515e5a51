using System.Diagnostics;

namespace Flapjack.Server.Tests.Processes;

/// <summary><c>kill -9</c> in the middle of work. What was acknowledged is there, once; what was not is there at most once; every thread goes on; turns that were to continue are answered in full.</summary>
/// <remarks><c>bin/endure kill</c> runs this with more rounds.</remarks>
public sealed class CrashTests
{
    private const int Streams = 20;
    private const int RoundsPerThread = 20;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Kill_9_loses_and_doubles_nothing_that_was_acknowledged()
    {
        await using var home = await ServerHome.CreateAsync();
        // On PostgreSQL a dead node's turns end with their lease; nobody can know earlier that it is dead.
        string[] settings = [.. home.Settings, "--Turns:LeaseSeconds=2"];
        var server = await PublishedServer.StartAsync(settings);
        try
        {
            MessageLedger? ledger = null;
            for (var round = 0; round < Endurance.Rounds(3); round++)
            {
                if (ledger is null || round % RoundsPerThread == 0) ledger = await MessageLedger.OpenAsync(server, Streams);
                await StreamAndKillAsync(server, round, ledger);
                await server.DisposeAsync();
                var watch = Stopwatch.StartNew();
                server = await PublishedServer.StartAsync(settings);
                await server.CallAsync(HttpMethod.Get, $"/api/threads/{ledger.Threads[0]}");
                Endurance.Say($"round {round + 1}: {ledger.Acknowledged} acknowledged of {ledger.Sent} sent to these threads; first answer {watch.ElapsedMilliseconds} ms after the restart");
                // The short form runs beside other suites: what it takes there says nothing, and that it starts at all is bounded.
                if (Endurance.IsLong) watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
                await ledger.CheckAsync(server);
                await RepeatAsync(server, round, ledger.Threads[0]);
            }
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    // Every stream is under way when the process dies, each at another moment of its life: some have only been sent.
    private static async Task StreamAndKillAsync(PublishedServer server, int round, MessageLedger ledger)
    {
        var begun = new Begun(Streams / 2);
        var streams = ledger.Threads.Select((thread, i) => ledger.SendAsync(server, thread, Remark(round, i), goesOn: i % 2 == 1, seen: @event =>
        {
            if (@event.Sequence == 2 + i % 5) begun.Count();
        }, idempotencyKey: i == 0 ? $"crash-{round}" : null)).ToList();
        await begun.WaitAsync();
        await server.KillAsync();
        await Task.WhenAll(streams).WaitAsync(TimeSpan.FromSeconds(60), Token);
    }

    // The client that saw its stream break asks again under its key: the message is not stored a second time.
    private static async Task RepeatAsync(PublishedServer server, int round, Guid thread)
    {
        var content = $"/count 10000 5\n{Remark(round, 0)}";
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

    private static string Remark(int round, int stream) => $"round {round}, stream {stream}";
}
