using System.Diagnostics;

namespace Flapjack.Server.Tests.Processes;

/// <summary>Three nodes on one PostgreSQL; one of them is killed, or stands still past its leases and comes back. The others go on with its threads, and what it still wants to write does not count.</summary>
/// <remarks><c>bin/endure nodes</c> runs this with more rounds.</remarks>
public sealed class ClusterTests : IAsyncLifetime
{
    private const int Streams = 18;
    private const int RoundsPerThread = 20;
    private readonly List<PublishedServer> _nodes = [];
    private ServerHome _home = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(TestDatabase.IsPostgres, "a test of PostgreSQL");
        _home = await ServerHome.CreateAsync();
        _nodes.Add(await StartAsync(0));
        // Nodes of one database need the same secrets.
        foreach (var i in (int[])[1, 2]) File.Copy(Path.Combine(DirectoryOf(0), "secrets.json"), Path.Combine(Directory.CreateDirectory(DirectoryOf(i)).FullName, "secrets.json"));
        _nodes.AddRange(await Task.WhenAll(StartAsync(1), StartAsync(2)));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes) await node.DisposeAsync();
        if (_home is not null) await _home.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_others_go_on(bool isFrozen)
    {
        MessageLedger? ledger = null;
        for (var round = 0; round < Endurance.Rounds(1); round++)
        {
            var (victim, witness) = (round % 3, _nodes[(round + 1) % 3]);
            if (ledger is null || round % RoundsPerThread == 0) ledger = await MessageLedger.OpenAsync(witness, Streams, stops: true);
            var streams = await BeginAsync(ledger, round);
            if (isFrozen) await _nodes[victim].FreezeAsync();
            else await _nodes[victim].KillAsync();
            var watch = Stopwatch.StartNew();
            foreach (var thread in ledger.Threads.Where((_, i) => i / 3 % 2 == 0)) await MessageLedger.StopAsync(witness, thread);
            await ledger.CheckAsync(witness);
            Endurance.Say($"round {round + 1}: {ledger.Acknowledged} acknowledged of {ledger.Sent} sent to these threads; all of them usable {watch.ElapsedMilliseconds} ms after node {victim + 1} was {(isFrozen ? "frozen" : "killed")}");
            if (isFrozen) await ThawAsync(ledger, victim, witness, streams);
            else await RestartAsync(victim, streams);
            await ledger.CheckAsync(_nodes[victim]);
        }
    }

    // A third of the streams on each node, half of them to go on without a listener. All have begun: a message that comes after the stops is new to them and rightly answered for a minute,
    // and so is one that a frozen node finds waiting when it thaws.
    private async Task<List<Task<ServerEvent?>>> BeginAsync(MessageLedger ledger, int round)
    {
        var begun = new Begun(Streams);
        var streams = ledger.Threads.Select((thread, i) => ledger.SendAsync(_nodes[i % 3], thread, $"round {round}, stream {i}", goesOn: i / 3 % 2 == 1, seen: @event =>
        {
            if (@event.Sequence == 2 + i % 5) begun.Count();
        })).ToList();
        await begun.WaitAsync();
        return streams;
    }

    // It finds its turns taken over, and breaks off their streams without having changed a word.
    private async Task ThawAsync(MessageLedger ledger, int victim, PublishedServer witness, List<Task<ServerEvent?>> streams)
    {
        var before = await ledger.StoredAsync(witness);
        await _nodes[victim].ThawAsync();
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "every stream has ended", () => Task.FromResult(streams.All(s => s.IsCompleted)), () => Unended(streams) + _nodes[victim].Output);
        for (var i = victim; i < Streams; i += 3) (await streams[i]).ShouldBeNull($"stream {i} of the frozen node was told an end that is not the turn's");
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "the thawed node is ready", async () =>
        {
            using var response = await _nodes[victim].Client.GetAsync("/readyz", Token);
            return response.IsSuccessStatusCode;
        });
        (await ledger.StoredAsync(witness)).ShouldBe(before);
    }

    private static string Unended(List<Task<ServerEvent?>> streams) => $"streams {string.Join(", ", streams.Index().Where(s => !s.Item.IsCompleted).Select(s => s.Index))} go on\n";

    private async Task RestartAsync(int victim, List<Task<ServerEvent?>> streams)
    {
        await Task.WhenAll(streams).WaitAsync(TimeSpan.FromSeconds(60), Token);
        await _nodes[victim].DisposeAsync();
        _nodes[victim] = await StartAsync(victim);
    }

    private Task<PublishedServer> StartAsync(int node) => PublishedServer.StartAsync([.. PublishedServer.Settings(DirectoryOf(node), _home.ConnectionString), "--Turns:LeaseSeconds=3"]);

    private string DirectoryOf(int node) => Path.Combine(_home.Directory, $"node-{node + 1}");
}
