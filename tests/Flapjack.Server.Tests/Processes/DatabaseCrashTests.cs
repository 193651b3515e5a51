using System.Diagnostics;
using System.Net;

namespace Flapjack.Server.Tests.Processes;

/// <summary><c>kill -9</c> of the PostgreSQL process under running streams: the server goes on by itself when the database is back, and nothing that was acknowledged is lost or doubled.</summary>
/// <remarks><c>bin/endure postgres</c> runs this with more rounds.</remarks>
public sealed class DatabaseCrashTests
{
    private const int Streams = 20;
    private const int RoundsPerThread = 20;

    // The short form runs beside other suites.
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(Endurance.IsLong ? 5 : 15);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_database_is_waited_for()
    {
        Assert.SkipUnless(TestDatabase.IsPostgres, "a test of PostgreSQL");
        _ = PublishedServer.Dll;
        await using var postgres = await PrivatePostgres.StartAsync();
        await using var server = await PublishedServer.StartAsync([.. PublishedServer.Settings(postgres.ServersDirectory, postgres.ConnectionString), "--Turns:LeaseSeconds=2"]);
        MessageLedger? ledger = null;
        for (var round = 0; round < Endurance.Rounds(1); round++)
        {
            if (ledger is null || round % RoundsPerThread == 0) ledger = await MessageLedger.OpenAsync(server, Streams, stops: true);
            var began = new Begun(Streams / 2);
            var current = ledger;
            var number = round;
            var streams = ledger.Threads.Select((thread, i) => current.SendAsync(server, thread, $"round {number}, stream {i}", goesOn: i % 2 == 1, seen: @event =>
            {
                if (@event.Sequence == 2 + i % 5) began.Count();
            })).ToList();
            await began.WaitAsync();
            await postgres.KillAsync();
            await ShouldBeUnavailableAsync(server);
            await postgres.StartAgainAsync();
            var watch = Stopwatch.StartNew();
            await PublishedServer.UntilAsync(Promised, "the database is used again", async () => await StatusAsync(server) == HttpStatusCode.OK);
            Endurance.Say($"round {round + 1}: {ledger.Acknowledged} acknowledged of {ledger.Sent} sent to these threads; first answer {watch.ElapsedMilliseconds} ms after the database was back");
            await StopAsync(server, ledger);
            // The server lived on, so no stream may end without its end.
            foreach (var end in await Task.WhenAll(streams).WaitAsync(TimeSpan.FromSeconds(60), Token)) end?.Event.ShouldBe("done");
            await ledger.CheckAsync(server);
        }
    }

    private static async Task ShouldBeUnavailableAsync(PublishedServer server)
    {
        var watch = Stopwatch.StartNew();
        using var response = await server.Client.GetAsync("/api/agents", Token);
        await response.ShouldBeErrorAsync(503, "SERVICE_UNAVAILABLE");
        response.Header("Retry-After").ShouldNotBeNull();
        watch.Elapsed.ShouldBeLessThan(Promised);
        (await server.CallAsync(HttpMethod.Get, "/healthz")).GetProperty("status").GetString().ShouldBe("ok");
    }

    private static async Task<HttpStatusCode> StatusAsync(PublishedServer server)
    {
        using var response = await server.Client.GetAsync("/api/agents", Token);
        return response.StatusCode;
    }

    // The endless ones; what is written down of them is the beginning of their answer.
    private static async Task StopAsync(PublishedServer server, MessageLedger ledger)
    {
        foreach (var thread in ledger.Threads.Where((_, i) => i % 2 == 0)) await MessageLedger.StopAsync(server, thread);
    }
}
