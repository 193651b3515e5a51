using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Scheduling;
using Flapjack.Server.Tests.Processes;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

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

    // Where two nodes store at once and the second replaces what the first is about to fire, both fire from then on.
    [Fact]
    public async Task What_another_node_stored_meanwhile_is_not_replaced()
    {
        await using var server = await ServerFixture.StartAsync(services: services => services.AddSingleton<IHousekeepingTask>(new PlannedTask("counted", HousekeepingScope.Cluster, () => { }) { Period = TimeSpan.FromHours(1) }));
        var scheduler = await server.Services.GetRequiredKeyedService<ISchedulerFactory>(SchedulingSetup.Name).GetScheduler(Token);
        var key = new TriggerKey("counted", HousekeepingJob.Group);
        await PublishedServer.UntilAsync(Patience, "the schedule is stored", async () => await scheduler.GetTrigger(key, Token) is not null);
        var first = (await scheduler.GetTrigger(key, Token))!.StartTimeUtc;
        await Task.Delay(20, Token);
        var late = (LateScheduler)DispatchProxy.Create<IScheduler, LateScheduler>();
        late.Real = scheduler;
        await server.Services.GetRequiredService<HousekeepingSchedule>().StoreAsync((IScheduler)(object)late, Token);
        late.Asked.ShouldBeTrue();
        (await scheduler.GetTrigger(key, Token))!.StartTimeUtc.ShouldBe(first);
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

/// <summary>A scheduler as a node sees it that looked before another one stored.</summary>
public class LateScheduler : DispatchProxy
{
    /// <summary>The scheduler behind it.</summary>
    public IScheduler Real { get; set; } = null!;

    /// <summary>Whether it was asked to store.</summary>
    public bool Asked { get; private set; }

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(IScheduler.GetTrigger) && !Asked) return Activator.CreateInstance(targetMethod.ReturnType);
        Asked |= targetMethod.Name == nameof(IScheduler.ScheduleJobs);
        return targetMethod.Invoke(Real, BindingFlags.DoNotWrapExceptions, null, args, null);
    }
}
