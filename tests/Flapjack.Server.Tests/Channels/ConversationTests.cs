using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.Channels;

/// <summary>Who is answered, in which thread, in which order.</summary>
public sealed class ConversationTests(ChannelWorld world) : IClassFixture<ChannelWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task After_a_silence_a_contact_gets_a_new_thread()
    {
        await using var own = await ChannelWorld.StartAsync();
        var (channel, contact) = (await own.OpenAsync("webhook", new { sessionHours = 2 }), ChannelWorld.NewContact());
        var threads = new List<string>();
        foreach (var pause in (double[])[0, 1.9, 1.9, 2.1])
        {
            own.Server.Time.Advance(TimeSpan.FromHours(pause));
            await channel.SayAsync(contact, "/echo hi");
            await own.ToAsync(contact, threads.Count + 1);
            threads.Add((await channel.ContactAsync(contact)).Text("thread_id"));
        }
        threads.Distinct().Count().ShouldBe(2);
        threads[2].ShouldBe(threads[0]);
        await own.World.PatchAsync(channel.Path, new { config = new { sessionHours = 0 } }).ShouldBe(200);
        own.Server.Time.Advance(TimeSpan.FromDays(90));
        await channel.SayAsync(contact, "/echo still here");
        await own.ToAsync(contact, 5);
        (await channel.ContactAsync(contact)).Text("thread_id").ShouldBe(threads[3]);
    }

    [Fact]
    public async Task A_new_contact_is_greeted_once_and_reset_begins_a_new_thread()
    {
        var (channel, contact) = (await world.OpenAsync("webhook", new { greeting = "Welcome!" }), ChannelWorld.NewContact());
        await channel.SayAsync(contact, "/echo one");
        await world.ToAsync(contact, 2);
        var first = (await channel.ContactAsync(contact)).Text("thread_id");
        await channel.SayAsync(contact, " /RESET ");
        await world.ToAsync(contact, 3);
        (await channel.ContactAsync(contact)).GetProperty("thread_id").ValueKind.ShouldBe(JsonValueKind.Null);
        await channel.SayAsync(contact, "/echo two");
        (await world.ToAsync(contact, 4)).ShouldBe(["Welcome!", "one", "A new conversation begins.", "two"]);
        (await channel.ContactAsync(contact)).Text("thread_id").ShouldNotBe(first);
        // Deleting a thread ends nobody's conversation.
        await world.Server.Client.DeleteAsync($"/api/threads/{(await channel.ContactAsync(contact)).Text("thread_id")}", Token).ShouldBe(200);
        (await channel.ContactAsync(contact)).GetProperty("thread_id").ValueKind.ShouldBe(JsonValueKind.Null);
        await channel.SayAsync(contact, "/echo three");
        (await world.ToAsync(contact, 5))[4].ShouldBe("three");
    }

    [Fact]
    public async Task Blocked_contacts_and_strangers_are_ignored_silently()
    {
        var (friend, stranger) = (ChannelWorld.NewContact(), ChannelWorld.NewContact());
        var channel = await world.OpenAsync("telegram", new { allowedContacts = new[] { friend } });
        await channel.SayAsync(stranger, "/echo let me in");
        await channel.SayAsync(friend, "/echo in");
        await world.ToAsync(friend);
        (await channel.ContactsAsync()).Select(c => c.Text("external_id")).ShouldBe([friend]);
        var contact = await channel.ContactAsync(friend);
        var patched = await world.World.PatchAsync($"{channel.Path}/contacts/{contact.Text("id")}", new { blocked = true, displayName = "Pest" }).ShouldBe(200);
        (patched.GetProperty("blocked").GetBoolean(), patched.Text("display_name")).ShouldBe((true, "Pest"));
        await channel.SayAsync(friend, "/echo blocked");
        await world.World.PatchAsync(channel.Path, new { config = new { allowedContacts = Array.Empty<string>() } }).ShouldBe(200);
        await channel.SayAsync(stranger, "/echo now");
        (await world.ToAsync(stranger)).ShouldBe(["now"]);
        world.Providers.To(friend).ShouldBe(["in"]);
        await world.World.PatchAsync($"{channel.Path}/contacts/{contact.Text("id")}", new { blocked = false }).ShouldBe(200);
        await channel.SayAsync(friend, "/echo back");
        (await world.ToAsync(friend, 2))[1].ShouldBe("back");
        (await channel.ContactAsync(friend)).Text("display_name").ShouldBe("Pest");
        (await channel.ContactsAsync("?q=pEs")).Count.ShouldBe(1);
        (await channel.ContactsAsync("?limit=1&offset=1")).Count.ShouldBe(1);
        await world.World.PatchAsync($"{channel.Path}/contacts/{contact.Text("id")}", new { displayName = "" }).ShouldBeError(422, "VALIDATION_ERROR", "displayName");
    }

    [Fact]
    public async Task Messages_to_a_busy_thread_wait_and_stop_does_not()
    {
        var (channel, contact, other) = (await world.OpenAsync("webhook"), ChannelWorld.NewContact(), ChannelWorld.NewContact());
        await channel.SayAsync(contact, "/think 60000\n/echo never");
        await world.UntilAsync("the turn runs", async () => (await channel.ContactsAsync()) is [var c] && c.TryGetProperty("thread_id", out var t) && t.ValueKind == JsonValueKind.String && (await world.World.ThreadAsync(t.GetGuid())).GetProperty("active_turn_id").ValueKind == JsonValueKind.String);
        await channel.SayAsync(contact, "/echo second");
        await channel.SayAsync(contact, "/echo third");
        await channel.SayAsync(other, "/echo somebody else");
        (await world.ToAsync(other)).ShouldBe(["somebody else"]);
        world.Providers.To(contact).ShouldBeEmpty();
        await channel.SayAsync(contact, "/stop");
        var got = await world.ToAsync(contact, 3);
        got.Order(StringComparer.Ordinal).ShouldBe(["Stopped.", "second", "third"]);
        got.Where(text => text != "Stopped.").ShouldBe(["second", "third"]);
        await channel.SayAsync(contact, "/stop");
        (await world.ToAsync(contact, 4))[3].ShouldBe("Nothing is running.");
    }

    [Fact]
    public async Task A_message_waits_for_a_turn_that_came_through_the_api()
    {
        var (channel, contact) = (await world.OpenAsync("webhook"), ChannelWorld.NewContact());
        await channel.SayAsync(contact, "/echo one");
        await world.ToAsync(contact);
        var thread = (await channel.ContactAsync(contact)).GetProperty("thread_id").GetGuid();
        await using var stream = await world.World.SendAsync(thread, new { content = "/think 60000\n/echo api", onDisconnect = "continue" });
        await stream.UntilAsync("meta");
        await channel.SayAsync(contact, "/echo two");
        await world.World.StopAsync(thread);
        (await world.ToAsync(contact, 2)).ShouldBe(["one", "two"]);
    }

    [Fact]
    public async Task A_failed_turn_is_told_with_its_code()
    {
        var (channel, contact) = (await world.OpenAsync("webhook"), ChannelWorld.NewContact());
        await channel.SayAsync(contact, "/fail 400");
        (await world.ToAsync(contact)).ShouldBe(["Sorry, the answer failed (MODEL_ERROR). Please try again."]);
        await channel.SayAsync(contact, "/tool locked {}");
        (await world.ToAsync(contact, 2)).ShouldContain("Permission is needed. to read your issues: https://example.com/authorise");
    }

    [Fact]
    public async Task An_answer_that_is_too_long_comes_in_pieces_cut_between_paragraphs()
    {
        var (channel, contact) = (await world.OpenAsync("telegram", new { maxMessageChars = 200 }), ChannelWorld.NewContact());
        var lines = Enumerable.Range(1, 6).Select(i => $"/echo Paragraph {i}: {new string((char)('a' + i), 100)}\n/echo").ToList();
        await channel.SayAsync(contact, string.Join('\n', lines));
        var got = await world.ToAsync(contact, 6);
        got.ShouldAllBe(text => text.Length <= 200);
        got.Select(text => text[..12]).ShouldBe(Enumerable.Range(1, 6).Select(i => $"Paragraph {i}:"));
    }

    [Fact]
    public async Task Images_and_files_become_attachments()
    {
        byte[] png = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = TurnWorld.Claude });
        var (telegram, contact) = (await world.OpenAsync("telegram", agent: agent), ChannelWorld.NewContact());
        world.Providers.Files["pic1"] = png;
        await telegram.SendAsync(TestChannel.Telegram(TestChannel.NewId(), new
        {
            message_id = 1, from = new { id = long.Parse(contact, System.Globalization.CultureInfo.InvariantCulture), first_name = "Grace" }, chat = new { id = long.Parse(contact, System.Globalization.CultureInfo.InvariantCulture), type = "private" },
            caption = "What is it?", photo = new[] { new { file_id = "small" }, new { file_id = "pic1" } },
        })).ShouldBe(200);
        await world.ToAsync(contact);
        var message = (await world.World.MessagesAsync((await telegram.ContactAsync(contact)).GetProperty("thread_id").GetGuid()))[0];
        (message.Text("content"), message.GetProperty("attachments")[0].Text("type"), message.GetProperty("attachments")[0].GetProperty("size_bytes").GetInt32()).ShouldBe(("What is it?", "image", png.Length));
        var (whatsapp, number) = (await world.OpenAsync("whatsapp"), ChannelWorld.NewContact());
        world.Providers.Files["doc1"] = "The plan"u8.ToArray();
        await whatsapp.SendAsync(TestChannel.WhatsApp(number, new { from = number, id = "wamid.doc" + number, type = "document", document = new { id = "doc1", filename = "plan.txt", mime_type = "text/plain", caption = "/echo read" } })).ShouldBe(200);
        (await world.ToAsync(number)).ShouldBe(["read"]);
        world.Providers.Files["pic2"] = png;
        await whatsapp.SendAsync(TestChannel.WhatsApp(number, new { from = number, id = "wamid.pic" + number, type = "image", image = new { id = "pic2", mime_type = "image/png" } })).ShouldBe(200);
        (await world.ToAsync(number, 2))[1].ShouldBe("Sorry, this image or file cannot be read here.");
    }
}
