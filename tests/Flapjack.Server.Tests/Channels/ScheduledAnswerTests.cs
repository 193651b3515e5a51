using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.ScheduledTasks;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.Channels;

/// <summary>What contacts are told without having asked: by tasks in their threads, and by agents that write to them.</summary>
public sealed class ScheduledAnswerTests(ChannelWorld world) : IClassFixture<ChannelWorld>
{
    private TurnWorld World => world.World;

    [Theory]
    [InlineData("telegram")]
    [InlineData("slack")]
    [InlineData("whatsapp")]
    [InlineData("webhook")]
    public async Task The_answer_of_a_task_in_a_contacts_thread_is_delivered_once(string kind)
    {
        var (channel, contact) = await MeetAsync(kind);
        var known = await channel.ContactAsync(contact);
        var task = await World.TaskAsync(channel.Agent, new { prompt = "/echo good morning", threadId = known.Text("thread_id"), everyMinutes = 60 });
        await World.RunsAsync(channel.Agent, task, 1, TimeSpan.FromHours(1));
        (await DeliveredAsync(contact, 2))[1].ShouldContain("good morning");
        (await channel.ContactAsync(contact)).GetProperty("message_count").GetInt64().ShouldBe(known.GetProperty("message_count").GetInt64(), "the contact wrote nothing");
        // What the contact says next is answered in the same thread.
        await channel.SayAsync(contact, "/echo thanks");
        (await DeliveredAsync(contact, 3))[2].ShouldContain("thanks");
        (await channel.ContactAsync(contact)).Text("thread_id").ShouldBe(known.Text("thread_id"));
        world.Providers.To(contact).Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_task_whose_channel_is_off_runs_and_tells_nobody()
    {
        var (channel, contact) = await MeetAsync("webhook");
        var thread = (await channel.ContactAsync(contact)).Text("thread_id");
        await World.PatchAsync(channel.Path, new { enabled = false }).ShouldBe(200);
        var task = await World.TaskAsync(channel.Agent, new { prompt = "/echo unheard", threadId = thread, everyMinutes = 60 });
        (await World.RunsAsync(channel.Agent, task, 1, TimeSpan.FromHours(1))).Text("last_status").ShouldBe("ok");
        await World.PatchAsync(channel.Path, new { enabled = true }).ShouldBe(200);
        await channel.SayAsync(contact, "/echo back");
        (await DeliveredAsync(contact, 2))[1].ShouldContain("back");
    }

    [Fact]
    public async Task A_task_may_write_to_a_contact_and_a_chat_may_not()
    {
        var (channel, contact) = await MeetAsync("webhook");
        var call = $$"""/tool channel_send {"contact_id":"{{(await channel.ContactAsync(contact)).Text("id")}}","text":"The **news**."}""";
        await using (var stream = await World.SendAsync(await World.Server.CreateThreadAsync(channel.Agent), new { content = call }))
        {
            await stream.EndAsync();
            stream.Seen.Where(e => e.Event == "tool_result").ShouldAllBe(e => e.Data.GetProperty("is_error").GetBoolean());
        }
        var task = await World.TaskAsync(channel.Agent, new { prompt = call, everyMinutes = 60 });
        await World.RunsAsync(channel.Agent, task, 1, TimeSpan.FromHours(1));
        (await DeliveredAsync(contact, 2))[1].ShouldBe("The **news**.");
    }

    private async Task<(TestChannel Channel, string Contact)> MeetAsync(string kind)
    {
        var channel = await world.OpenAsync(kind, agent: await World.AgentAsync());
        var contact = ChannelWorld.NewContact();
        await channel.SayAsync(contact, "/echo hello");
        await world.ToAsync(contact);
        return (channel, contact);
    }

    private async Task<IReadOnlyList<string>> DeliveredAsync(string contact, int count)
    {
        await world.UntilAsync($"{contact} got {count} messages", () =>
        {
            // The queue is looked at every two seconds.
            World.Server.Time.Advance(TimeSpan.FromSeconds(2));
            return Task.FromResult(world.Providers.To(contact).Count >= count);
        });
        return world.Providers.To(contact);
    }
}
