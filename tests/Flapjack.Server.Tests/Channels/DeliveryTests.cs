using System.Text.Json;
using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Channels;

/// <summary>What becomes of messages when providers, nodes and patience fail.</summary>
public sealed class DeliveryTests
{
    private static readonly (int, string) Broken = (502, "<html>bad gateway</html>");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_delivery_is_repeated_until_the_provider_takes_it()
    {
        await using var world = await ChannelWorld.StartAsync();
        var (channel, contact) = (await world.OpenAsync("telegram"), ChannelWorld.NewContact());
        world.Providers.Fail(Broken, (429, """{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"""), Broken);
        await channel.SayAsync(contact, "/echo at last");
        await TickAsync(world, () => world.Providers.To(contact).Count > 0);
        world.Providers.To(contact).ShouldBe(["at last"]);
        (await world.World.MessagesAsync((await channel.ContactAsync(contact)).GetProperty("thread_id").GetGuid())).Count.ShouldBe(2);
    }

    [Fact]
    public async Task What_fails_for_good_shows_in_the_channel_until_something_arrives()
    {
        await using var world = await ChannelWorld.StartAsync();
        var (channel, contact) = (await world.OpenAsync("slack"), ChannelWorld.NewContact());
        world.Providers.Fail((200, """{"ok":false,"error":"token_revoked"}"""));
        await channel.SayAsync(contact, "/echo lost");
        await world.UntilAsync("the channel fails", async () => (await channel.ReadAsync()).Text("status") == "error");
        (await channel.ReadAsync()).Text("last_error").ShouldBe("AUTH_FAILED: token_revoked");
        await channel.SayAsync(contact, "/echo works");
        (await world.ToAsync(contact)).ShouldBe(["works"]);
        await world.UntilAsync("the channel is well", async () => (await channel.ReadAsync()).Text("status") == "active");
        (await channel.ReadAsync()).GetProperty("last_error").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Tries_end_and_the_next_message_is_answered()
    {
        await using var world = await ChannelWorld.StartAsync();
        var (channel, contact) = (await world.OpenAsync("whatsapp"), ChannelWorld.NewContact());
        world.Providers.Fail([.. Enumerable.Repeat(Broken, 10)]);
        await channel.SayAsync(contact, "/echo never");
        await TickAsync(world, () => world.Server.Log.Lines.Any(line => line.Contains("is given up", StringComparison.Ordinal)));
        await world.UntilAsync("the channel fails", async () => (await channel.ReadAsync()).Text("status") == "error");
        (await channel.ReadAsync()).Text("last_error").ShouldStartWith("UNREACHABLE:");
        await channel.SayAsync(contact, "/echo next");
        await TickAsync(world, () => world.Providers.To(contact).Count > 0);
        world.Providers.To(contact).ShouldBe(["next"]);
    }

    [Fact]
    public async Task Somebody_who_blocked_the_bot_is_no_fault_of_the_channel()
    {
        await using var world = await ChannelWorld.StartAsync();
        var (channel, contact, other) = (await world.OpenAsync("telegram"), ChannelWorld.NewContact(), ChannelWorld.NewContact());
        world.Providers.Fail((403, """{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"""));
        await channel.SayAsync(contact, "/echo hi");
        await world.UntilAsync("it is noted", async () => (await channel.ReadAsync()).GetProperty("last_error").ValueKind == JsonValueKind.String);
        var read = await channel.ReadAsync();
        (read.Text("status"), read.Text("last_error")).ShouldBe(("active", "CONTACT_UNREACHABLE: Forbidden: bot was blocked by the user"));
        await channel.SayAsync(other, "/echo hello");
        await world.ToAsync(other);
    }

    [Fact]
    public async Task What_telegram_cannot_parse_is_sent_plain()
    {
        await using var world = await ChannelWorld.StartAsync();
        var (channel, contact) = (await world.OpenAsync("telegram"), ChannelWorld.NewContact());
        world.Providers.Fail((400, """{"ok":false,"error_code":400,"description":"Bad Request: can't parse entities: Unsupported start tag"}"""));
        await channel.SayAsync(contact, "/echo **bold**");
        (await world.ToAsync(contact)).ShouldBe(["**bold**"]);
    }

    [Fact]
    public async Task A_piece_that_arrived_is_not_sent_again()
    {
        await using var world = await ChannelWorld.StartAsync();
        var (channel, contact) = (await world.OpenAsync("webhook", new { maxMessageChars = 200, greeting = "Hi" }), ChannelWorld.NewContact());
        world.Providers.Fail((0, ""), (0, ""), Broken, Broken);
        await channel.SayAsync(contact, $"/echo {new string('a', 150)}\n/echo\n/echo {new string('b', 150)}\n/echo\n/echo {new string('c', 150)}");
        await TickAsync(world, () => world.Providers.To(contact).Count >= 4);
        world.Providers.To(contact).ShouldBe(["Hi", new string('a', 150), new string('b', 150), new string('c', 150)]);
        world.Providers.All.Select(d => d.Body.GetProperty("messageId").GetRawText()).Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public async Task A_turn_that_was_noted_and_never_begun_begins_under_its_id()
    {
        await using var world = await ChannelWorld.StartAsync();
        var (channel, contact) = (await world.OpenAsync("webhook"), ChannelWorld.NewContact());
        await channel.SayAsync(contact, "/echo first");
        await world.ToAsync(contact);
        var thread = (await channel.ContactAsync(contact)).GetProperty("thread_id").GetGuid();
        var turn = Guid.CreateVersion7();
        await using (var db = world.Server.Database())
        {
            var org = (await db.Channels.IgnoreQueryFilters().SingleAsync(Token)).OrgId;
            var now = world.Server.Time.GetUtcNow().UtcDateTime;
            db.ChannelEvents.Add(new()
            {
                OrgId = org, ChannelId = channel.Id, EventId = "crashed", Contact = contact, Payload = new InboundMessage("crashed", contact, null, "/echo second", new(contact)).ToText(),
                ThreadId = thread, TurnId = turn, Node = "gone", LeaseUntil = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc), Claim = 3, Attempts = 1, DueAt = now, ReceivedAt = now,
            });
            await db.SaveChangesAsync(Token);
        }
        await TickAsync(world, () => world.Providers.To(contact).Count >= 2);
        world.Providers.To(contact).ShouldBe(["first", "second"]);
        (await TurnAsync(world, turn))!.Status.ShouldBe(TurnStatuses.Done);
    }

    [Fact]
    public async Task A_turn_that_a_restart_breaks_off_is_answered_after_it()
    {
        await using var world = await ChannelWorld.StartAsync();
        var (channel, contact) = (await world.OpenAsync("webhook"), ChannelWorld.NewContact());
        await channel.SayAsync(contact, "/think 60000\n/echo slow");
        await world.UntilAsync("the turn runs", async () => (await EventAsync(world))?.TurnId is { } turn && await TurnAsync(world, turn) is not null);
        await world.Server.RestartAsync();
        await TickAsync(world, () => world.Providers.To(contact).Count > 0);
        world.Providers.To(contact).ShouldBe(["slow"]);
        await using var db = world.Server.Database();
        (await db.Turns.IgnoreQueryFilters().CountAsync(Token)).ShouldBe(1);
    }

    [Fact]
    public async Task A_message_that_brings_everybody_down_is_given_up()
    {
        await using var world = await ChannelWorld.StartAsync();
        var (channel, contact) = (await world.OpenAsync("webhook"), ChannelWorld.NewContact());
        await using (var db = world.Server.Database())
        {
            var org = (await db.Channels.IgnoreQueryFilters().SingleAsync(Token)).OrgId;
            var now = world.Server.Time.GetUtcNow().UtcDateTime;
            db.ChannelEvents.Add(new() { OrgId = org, ChannelId = channel.Id, EventId = "bomb", Contact = contact, Payload = new InboundMessage("bomb", contact, null, "/echo boom", new(contact)).ToText(), Attempts = 20, DueAt = now, ReceivedAt = now });
            await db.SaveChangesAsync(Token);
        }
        await TickAsync(world, () => world.Server.Log.Lines.Any(line => line.Contains("is given up", StringComparison.Ordinal)));
        await channel.SayAsync(contact, "/echo next");
        await TickAsync(world, () => world.Providers.To(contact).Count > 0);
        world.Providers.To(contact).ShouldBe(["next"]);
    }

    [Fact]
    public async Task Nothing_that_was_taken_is_lost_when_the_server_ends()
    {
        await using var world = await ChannelWorld.StartAsync();
        var (channel, contact, sleeper) = (await world.OpenAsync("webhook"), ChannelWorld.NewContact(), ChannelWorld.NewContact());
        world.Providers.Fail(Broken);
        await channel.SayAsync(contact, "/echo one");
        await channel.SayAsync(contact, "/echo two");
        await channel.SayAsync(sleeper, "/echo three");
        await world.Server.RestartAsync();
        await TickAsync(world, () => world.Providers.To(contact).Count >= 2 && world.Providers.To(sleeper).Count >= 1);
        world.Providers.To(contact).ShouldBe(["one", "two"]);
        world.Providers.To(sleeper).ShouldBe(["three"]);
    }

    [Fact]
    public async Task A_turn_whose_node_is_lost_is_answered_by_another_and_runs_once()
    {
        await using var world = await ChannelWorld.StartAsync();
        var (channel, contact) = (await world.OpenAsync("webhook"), ChannelWorld.NewContact());
        await channel.SayAsync(contact, "/think 60000\n/echo slow");
        await world.UntilAsync("the turn runs", async () => (await EventAsync(world))?.TurnId is { } turn && await TurnAsync(world, turn) is not null);
        var past = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        await using (var db = world.Server.Database())
        {
            await db.ChannelEvents.IgnoreQueryFilters().ExecuteUpdateAsync(e => e.SetProperty(x => x.LeaseUntil, past), Token);
            await db.Turns.IgnoreQueryFilters().Where(t => t.Status == TurnStatuses.Running).ExecuteUpdateAsync(t => t.SetProperty(x => x.LeaseUntil, past), Token);
        }
        await using var peer = world.Server.StartPeer();
        await world.UntilAsync("another node has it", async () => (await EventAsync(world))?.Claim >= 2);
        await TickAsync(world, () => world.Providers.To(contact).Count > 0);
        world.Providers.To(contact).ShouldBe(["slow"]);
        await using var after = world.Server.Database();
        (await after.Turns.IgnoreQueryFilters().CountAsync(Token)).ShouldBe(1);
    }

    [Fact]
    public async Task A_channel_takes_only_so_many_and_says_so()
    {
        await using var world = await ChannelWorld.StartAsync(settings => settings["Channels:MaxWaiting"] = "2");
        var (channel, contact) = (await world.OpenAsync("webhook"), ChannelWorld.NewContact());
        await channel.SayAsync(contact, "/think 60000\n/echo one");
        await channel.SayAsync(contact, "/echo two", "known");
        await channel.SendAsync(channel.MessageOf(contact, "/echo three", "new")).ShouldBeError(503, "SERVICE_UNAVAILABLE");
        // A repeat is no further message.
        await channel.SayAsync(contact, "/echo two", "known");
    }

    [Fact]
    public async Task Requests_to_one_address_are_counted()
    {
        await using var world = await ChannelWorld.StartAsync(settings => settings["Limits:HooksPerMinute"] = "3");
        var (channel, other) = (await world.OpenAsync("webhook"), await world.OpenAsync("webhook"));
        for (var i = 0; i < 3; i++) await channel.SayAsync("a", "/echo x");
        using var refused = await channel.SendAsync(channel.MessageOf("a", "x", "4"));
        ((int)refused.StatusCode, refused.Header("Retry-After")).ShouldBe((429, "60"));
        await other.SayAsync("a", "/echo x");
    }

    [Fact]
    public async Task After_a_day_what_was_answered_is_forgotten()
    {
        await using var world = await ChannelWorld.StartAsync();
        var (channel, contact) = (await world.OpenAsync("webhook"), ChannelWorld.NewContact());
        await channel.SayAsync(contact, "/echo a secret", "m1");
        await world.UntilAsync("it is finished", async () => (await EventAsync(world))?.FinishedAt is not null);
        var left = (await EventAsync(world))!;
        (left.Payload, left.Outbox).ShouldBe(("", null));
        world.Server.Time.Advance(EventsSweep.Lifetime + TimeSpan.FromMinutes(1));
        await world.Server.Services.GetRequiredService<HousekeepingRounds>().RunAsync(Token);
        (await EventAsync(world)).ShouldBeNull();
        await channel.SayAsync(contact, "/echo again", "m1");
        (await world.ToAsync(contact, 2))[1].ShouldBe("again");
    }

    // Time passes until something is so: the waits between tries grow.
    private static Task TickAsync(ChannelWorld world, Func<bool> isSo) => world.UntilAsync("it happens in time", () =>
    {
        if (!isSo()) world.Server.Time.Advance(TimeSpan.FromSeconds(4));
        return Task.FromResult(isSo());
    });

    private static async Task<ChannelEvent?> EventAsync(ChannelWorld world)
    {
        await using var db = world.Server.Database();
        return await db.ChannelEvents.IgnoreQueryFilters().AsNoTracking().FirstOrDefaultAsync(Token);
    }

    private static async Task<Turn?> TurnAsync(ChannelWorld world, Guid id)
    {
        await using var db = world.Server.Database();
        return await db.Turns.IgnoreQueryFilters().AsNoTracking().FirstOrDefaultAsync(t => t.Id == id, Token);
    }
}
