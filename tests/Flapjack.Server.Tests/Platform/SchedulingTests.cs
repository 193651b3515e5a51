using System.Collections.Concurrent;
using System.Diagnostics;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Tests.Processes;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Platform;

/// <summary>Quartz itself, by the real clock: its tables, its cluster, its end.</summary>
public sealed class SchedulingTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_round_of_the_cluster_happens_once_each_period_never_two_at_a_time()
    {
        const int Rounds = 8;
        var rounds = new ConcurrentQueue<long>();
        var (running, most, enough) = (0, 0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var start = Stopwatch.GetTimestamp();
        await using var first = await ServerFixture.StartAsync(services: services => services.AddSingleton<IHousekeepingTask>(new PlannedTask("counted", HousekeepingScope.Cluster, CountAsync) { Period = TimeSpan.FromSeconds(1) }));
        // SQLite has one node at a time.
        await using var second = TestDatabase.IsPostgres ? first.StartPeer() : null;
        await enough.Task.WaitAsync(Patience, Token);
        most.ShouldBe(1);
        // Two nodes that each made rounds of their own would be done in half the time. Rounds that are late follow each other at once, so the time counts from the start.
        var times = rounds.Select(at => Stopwatch.GetElapsedTime(start, at)).ToArray();
        times[Rounds - 1].ShouldBeGreaterThan(TimeSpan.FromSeconds(6), $"rounds came after {string.Join(", ", times.Select(t => t.TotalSeconds))} s");

        async Task CountAsync(CancellationToken cancellationToken)
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            rounds.Enqueue(Stopwatch.GetTimestamp());
            await Task.Delay(100, cancellationToken);
            Interlocked.Decrement(ref running);
            if (rounds.Count == Rounds) enough.TrySetResult();
        }
    }

    [Fact]
    public async Task A_failed_round_is_logged_and_the_next_one_comes_also_after_a_restart()
    {
        var (ran, fails) = (new SemaphoreSlim(0), true);
        await using var server = await ServerFixture.StartAsync(services: services => services.AddSingleton<IHousekeepingTask>(new PlannedTask("failing", HousekeepingScope.Cluster, Run) { Period = TimeSpan.FromSeconds(1) }));
        (await ran.WaitAsync(Patience, Token)).ShouldBeTrue();
        (await ran.WaitAsync(Patience, Token)).ShouldBeTrue();
        server.Log.Lines.ShouldContain(l => l.Contains("Housekeeping failed for failing", StringComparison.Ordinal));
        fails = false;
        await server.RestartAsync();
        while (ran.Wait(0, Token)) { }
        (await ran.WaitAsync(Patience, Token)).ShouldBeTrue();

        void Run()
        {
            ran.Release();
            if (fails) throw new InvalidOperationException("as planned");
        }
    }

    [Fact]
    public async Task A_job_that_runs_when_the_server_stops_is_ended_with_the_grace_period()
    {
        var (begun, ended) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var server = await ServerFixture.StartAsync(services: services => services.AddSingleton<IHousekeepingTask>(new PlannedTask("endless", HousekeepingScope.Cluster, RunAsync) { Period = TimeSpan.FromSeconds(1) }));
        try
        {
            await begun.Task.WaitAsync(Patience, Token);
        }
        finally
        {
            await server.DisposeAsync();
        }
        ended.Task.IsCompletedSuccessfully.ShouldBeTrue();

        async Task RunAsync(CancellationToken cancellationToken)
        {
            begun.TrySetResult();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }
            finally
            {
                ended.TrySetResult();
            }
        }
    }

    [Fact]
    public async Task While_the_database_is_away_it_says_so_once_and_goes_on_afterwards()
    {
        var ran = new SemaphoreSlim(0);
        await using var server = await ServerFixture.StartAsync(services: services => services.AddSingleton<IHousekeepingTask>(new PlannedTask("counting", HousekeepingScope.Cluster, () => ran.Release()) { Period = TimeSpan.FromSeconds(1) }));
        (await ran.WaitAsync(Patience, Token)).ShouldBeTrue();
        await server.BreakDatabaseAsync();
        await PublishedServer.UntilAsync(Patience, "the log says so", () => Task.FromResult(server.Log.Lines.Any(l => l.Contains("Scheduled work waits", StringComparison.Ordinal))));
        await server.RepairDatabaseAsync();
        while (ran.Wait(0, Token)) { }
        (await ran.WaitAsync(Patience, Token)).ShouldBeTrue();
        server.Log.Lines.Count(l => l.Contains("Scheduled work waits", StringComparison.Ordinal)).ShouldBe(1);
        server.Log.Lines.ShouldNotContain(l => l.Contains("Quartz.", StringComparison.Ordinal));
    }
}
