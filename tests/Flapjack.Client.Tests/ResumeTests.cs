using System.Text.Json.Nodes;

namespace Flapjack.Client.Tests;

/// <summary>Broken connections and dead servers: what the client makes of them.</summary>
public sealed class ResumeTests(ClientWorld world) : IClassFixture<ClientWorld>
{
    private readonly FlapjackClient _client = world.Client;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_that_is_cut_at_any_byte_misses_nothing_and_repeats_nothing()
    {
        var random = new Random(7);
        for (var round = 0; round < 12; round++)
        {
            var thread = await world.NewThreadAsync();
            world.Relay.Plan(Enumerable.Range(0, 6).Select(_ => random.Next(1, 3_000)));
            var (seen, text) = await ClientWorld.FollowAsync(_client.SendMessageAsync(thread, new() { Content = "/count 120 2" }));
            world.Relay.Cuts.ShouldBeGreaterThan(0);
            world.Relay.Plan();
            ClientWorld.ShouldBeWhole(seen);
            seen[^1].ShouldBeOfType<DoneEvent>();
            text.ShouldBe(ClientWorld.Counted(120));
            (await _client.ListMessagesAsync(thread, cancellationToken: Token)).Total.ShouldBe(2, "the message is there once");
        }
    }

    [Fact]
    public async Task Tools_are_run_once_although_every_stream_is_cut()
    {
        var thread = await world.NewThreadAsync();
        var random = new Random(11);
        world.Relay.Plan(Enumerable.Range(0, 8).Select(_ => random.Next(1, 900)));
        var runs = 0;
        var options = new TurnOptions
        {
            OnToolCall = (_, _) =>
            {
                world.Relay.CutAll();
                return Task.FromResult<JsonNode?>($"seen {++runs}");
            },
        };
        var (seen, _) = await ClientWorld.FollowAsync(_client.SendMessageAsync(thread, new() { Content = "/tool look {}", Tools = [ClientWorld.Tool("look")] }, options));
        world.Relay.Plan();
        seen[^1].ShouldBeOfType<DoneEvent>();
        runs.ShouldBe(1);
        ClientWorld.ShouldBeWhole(seen);
    }

    [Fact]
    public async Task A_client_that_attached_goes_on_after_a_cut()
    {
        var thread = await world.NewThreadAsync();
        Task<(List<FlapjackEvent> Seen, string Text)>? other = null;
        var (_, text) = await ClientWorld.FollowAsync(_client.SendMessageAsync(thread, new() { Content = "/count 150 15" }), @event =>
        {
            if (@event is MetaEvent) other = ClientWorld.FollowAsync(_client.AttachStreamAsync(thread), CutOnceAsync);
            return Task.CompletedTask;
        });
        text.ShouldBe(ClientWorld.Counted(150));
        var attached = await other!;
        attached.Text.ShouldBe(text);
        ClientWorld.ShouldBeWhole(attached.Seen);

        Task CutOnceAsync(FlapjackEvent seen)
        {
            if (seen.Id.EndsWith(":40", StringComparison.Ordinal)) world.Relay.CutAll();
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_server_that_is_killed_and_started_again_goes_on_with_the_turn_after_a_restart_event()
    {
        await using var own = await RunningServer.StartAsync();
        RunningServer? next = null;
        world.Relay.Lead(own.Address);
        try
        {
            var thread = await world.NewThreadAsync(await world.NewAgentAsync());
            var (seen, text) = await ClientWorld.FollowAsync(_client.SendMessageAsync(thread, new() { Content = "/count 400 5" }), async @event =>
            {
                if (next is not null || !@event.Id.EndsWith(":30", StringComparison.Ordinal)) return;
                await own.KillAsync();
                next = await RunningServer.StartAsync(own.Directory);
                world.Relay.Lead(next.Address);
            });
            seen.OfType<RestartEvent>().Count().ShouldBe(1);
            text.ShouldBe(ClientWorld.Counted(400));
            seen[^1].ShouldBeOfType<DoneEvent>().Content.ShouldBe(text);
            (await _client.ListMessagesAsync(thread, cancellationToken: Token)).Total.ShouldBe(2);
        }
        finally
        {
            world.Relay.Lead(world.Address);
            if (next is not null) await next.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_stream_that_falls_silent_is_given_up_and_resumed()
    {
        var thread = await world.NewThreadAsync();
        var impatient = world.New(new() { IdleTimeout = TimeSpan.FromMilliseconds(300) });
        var (seen, text) = await ClientWorld.FollowAsync(impatient.SendMessageAsync(thread, new() { Content = "/think 1500\n/echo late" }));
        ClientWorld.ShouldBeWhole(seen);
        text.ShouldBe("late");
    }

    [Fact]
    public async Task When_nobody_is_there_it_gives_up()
    {
        world.Relay.Lead(new("http://127.0.0.1:1"));
        try
        {
            var hasty = world.New(new() { MaxRetries = 2 });
            (await Should.ThrowAsync<FlapjackException>(() => hasty.ListAgentsAsync(cancellationToken: Token))).Code.ShouldBe("CONNECTION_FAILED");
            (await Should.ThrowAsync<FlapjackException>(() => ClientWorld.FollowAsync(hasty.SendMessageAsync(Guid.CreateVersion7(), new() { Content = "hi" })))).Code.ShouldBe("CONNECTION_FAILED");
        }
        finally
        {
            world.Relay.Lead(world.Address);
        }
    }
}
