using Flapjack.Server.Accounts;
using Flapjack.Server.Logs;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Platform;

public sealed class HousekeepingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_round_deletes_what_is_old_and_keeps_the_rest()
    {
        await using var server = await ServerFixture.StartAsync(settings => settings["Logs:RetentionDays"] = "7");
        var now = server.Time.Now();
        await using var db = server.Services.GetRequiredService<Databases>().OpenForServer();
        var org = Guid.CreateVersion7();
        for (var i = 0; i < 450; i++) AddTrace(db, org, now.AddDays(-8));
        AddTrace(db, org, now.AddDays(-6));
        AddRecord(db, org, now.AddHours(-25));
        AddRecord(db, org, now.AddHours(-23));
        AddSession(db, now.AddDays(-2));
        AddSession(db, now.AddDays(1));
        await db.SaveChangesAsync(Token);

        await server.Services.GetRequiredService<HousekeepingRounds>().RunAsync(Token);

        (await db.Traces.IgnoreQueryFilters().CountAsync(Token)).ShouldBe(1);
        (await db.Spans.IgnoreQueryFilters().CountAsync(Token)).ShouldBe(1);
        (await db.IdempotencyRecords.IgnoreQueryFilters().CountAsync(Token)).ShouldBe(1);
        (await db.Sessions.CountAsync(Token)).ShouldBe(1);
        (await db.LoginLinks.CountAsync(Token)).ShouldBe(1);
    }

    [Fact]
    public async Task What_is_about_a_nodes_memory_comes_every_ten_minutes_and_a_failing_task_does_not_stop_the_others()
    {
        var ran = new SemaphoreSlim(0);
        await using var server = await ServerFixture.StartAsync(services: services =>
        {
            services.AddSingleton<IHousekeepingTask>(new PlannedTask("broken", HousekeepingScope.Node, () => throw new InvalidOperationException("as planned")));
            services.AddSingleton<IHousekeepingTask>(new PlannedTask("counting", HousekeepingScope.Node, () => ran.Release()));
        });
        var ofNode = server.Services.GetRequiredService<HousekeepingRounds>().Tasks.Count(t => t.Scope == HousekeepingScope.Node && t.Period == TimeSpan.FromMinutes(10));
        await server.Time.TickingAsync(TimeSpan.FromMinutes(10), ofNode).WaitAsync(TimeSpan.FromSeconds(30), Token);
        server.Time.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(1));
        ran.CurrentCount.ShouldBe(0);
        for (var round = 0; round < 2; round++)
        {
            server.Time.Advance(TimeSpan.FromMinutes(10));
            (await ran.WaitAsync(TimeSpan.FromSeconds(20), Token)).ShouldBeTrue();
        }
        server.Log.Lines.ShouldContain(l => l.Contains("Housekeeping failed for broken", StringComparison.Ordinal));
    }

    private static void AddTrace(FlapjackDb db, Guid org, DateTime at)
    {
        var trace = new Trace { Id = Ids.New(), OrgId = org, SessionId = "s", Name = "turn", Status = "ok", StartedAt = at };
        db.Traces.Add(trace);
        db.Spans.Add(new Span { Id = Ids.New(), OrgId = org, TraceId = trace.Id, Kind = "llm", Name = "call", Status = "ok", StartedAt = at });
    }

    private static void AddRecord(FlapjackDb db, Guid org, DateTime at) =>
        db.IdempotencyRecords.Add(new IdempotencyRecord { Id = Ids.New(), OrgId = org, Scope = Ids.New().ToString(), BodyHash = "h", CreatedAt = at });

    private static void AddSession(FlapjackDb db, DateTime expires)
    {
        db.Sessions.Add(new Session { Id = Ids.New(), UserId = Ids.New(), RefreshHash = "h", CreatedAt = expires.AddDays(-30), ExpiresAt = expires });
        db.LoginLinks.Add(new LoginLink { Id = Ids.New(), UserId = Ids.New(), TokenHash = Ids.New().ToString(), ExpiresAt = expires });
    }
}
