using System.Text.Json;
using System.Text;
using Flapjack.Server.Tests.Accounts;

namespace Flapjack.Server.Tests.Channels;

/// <summary>What providers send, and who only pretends to be one.</summary>
public sealed class HookTests(ChannelWorld world) : IClassFixture<ChannelWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => ["telegram", "slack", "whatsapp", "webhook"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_message_is_answered_and_its_repeat_is_not(string kind)
    {
        var (channel, contact, id) = (await world.OpenAsync(kind), ChannelWorld.NewContact(), TestChannel.NewId());
        await channel.SayAsync(contact, "/echo Hello *you*", id);
        await channel.SayAsync(contact, "/echo Hello *you*", id);
        await channel.SayAsync(contact, "/echo Bye");
        (await world.ToAsync(contact, 2)).ShouldBe([kind switch { "telegram" => "Hello <i>you</i>", "webhook" => "Hello *you*", _ => "Hello _you_" }, "Bye"]);
        var seen = await channel.ContactAsync(contact);
        (seen.GetProperty("message_count").GetInt32(), seen.GetProperty("blocked").GetBoolean()).ShouldBe((2, false));
        seen.EnumerateObject().Select(p => p.Name).ShouldBe(["id", "channel_id", "external_id", "display_name", "thread_id", "blocked", "message_count", "first_seen_at", "last_seen_at"]);
        var messages = await world.World.MessagesAsync(seen.GetProperty("thread_id").GetGuid());
        messages.Select(m => m.Text("role")).ShouldBe(["user", "assistant", "user", "assistant"]);
        messages[0].Text("sender_id").ShouldBe(contact);
        var read = await channel.ReadAsync();
        (read.Text("status"), read.GetProperty("last_inbound_at").ValueKind).ShouldBe(("active", JsonValueKind.String));
        var trace = (await world.World.TraceAsync(seen.GetProperty("thread_id").GetGuid())).GetProperty("trace");
        (trace.Text("name"), trace.GetProperty("tags").GetRawText(), trace.Text("user_id")).ShouldBe(("channel-turn", """["source:channel"]""", $"{kind}:{contact}"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Nobody_else_gets_in(string kind)
    {
        var (channel, contact) = (await world.OpenAsync(kind), ChannelWorld.NewContact());
        var body = JsonSerializer.Serialize(channel.MessageOf(contact, "/echo no", TestChannel.NewId()));
        await channel.SendAsync(body, request => request.Headers.Clear()).ShouldBeError(401, "UNAUTHORIZED");
        // Signed, and then changed by one character.
        await channel.SendAsync(body, request =>
        {
            if (kind == "telegram") Replace(request, "X-Telegram-Bot-Api-Secret-Token", channel.Secret![..^1] + "0" + "x");
            else request.Content = JsonText.Content(Encoding.UTF8.GetBytes(body.Replace("no", "on", StringComparison.Ordinal)), "application/json");
        }).ShouldBeError(401, "UNAUTHORIZED");
        await world.Server.Anonymous.PostAsync(channel.Hook[..^1] + (channel.Hook[^1] == 'A' ? 'B' : 'A'), JsonText.Content(body), Token).ShouldBeError(404, "NOT_FOUND");
        (await channel.ContactsAsync()).ShouldBeEmpty();
        world.Providers.To(contact).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Bodies_that_make_no_sense_are_refused_and_never_a_server_error(string kind)
    {
        var channel = await world.OpenAsync(kind);
        await channel.SendAsync("{").ShouldBeError(400, "INVALID_JSON");
        await channel.SendAsync("[]").ShouldBeError(400, "INVALID_REQUEST");
        foreach (var body in (string[])["{}", """{"message":[],"event":7,"entry":{"a":1}}""", """{"update_id":1,"message":{"chat":{},"from":null}}""", """{"type":"event_callback","event":{"type":"message","user":1}}""", """{"entry":[{"changes":[{"value":{"messages":[{"id":"x"},7]}}]}]}"""])
        {
            using var answer = await channel.SendAsync(body);
            ((int)answer.StatusCode).ShouldBe(kind == "webhook" ? 422 : 200, body);
        }
        using var large = await channel.SendAsync($$"""{"text":"{{new string('x', 1_100_000)}}"}""");
        ((int)large.StatusCode).ShouldBe(413);
    }

    [Fact]
    public async Task Slack_asks_first_and_its_signatures_grow_old()
    {
        var channel = await world.OpenAsync("slack");
        using var answer = await channel.SendAsync(new { type = "url_verification", challenge = "3eZbrw1aB" });
        ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Token)).ShouldBe((200, "3eZbrw1aB"));
        (await channel.ReadAsync()).Text("status").ShouldBe("active");
        var bytes = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { type = "url_verification", challenge = "late" }));
        var now = world.Server.Time.GetUtcNow().ToUnixTimeSeconds();
        foreach (var (at, status) in ((long, int)[])[(now - 301, 401), (now + 301, 401), (now - 299, 200), (long.MaxValue, 401)])
        {
            using var aged = await channel.SendAsync(Encoding.UTF8.GetString(bytes), request => channel.Sign(request, bytes, at));
            ((int)aged.StatusCode).ShouldBe(status, $"{at - now}");
        }
    }

    [Fact]
    public async Task Slack_mentions_are_answered_in_their_thread_and_what_bots_say_is_not()
    {
        var (channel, place) = (await world.OpenAsync("slack"), "C" + ChannelWorld.NewContact());
        object Event(string type, string text, string ts, string? bot = null, string? thread = null) => new
        {
            type = "event_callback", authorizations = new[] { new { user_id = "UBOT", is_bot = true } }, @event = new { type, channel_type = "channel", user = "U1", bot_id = bot, channel = place, ts, thread_ts = thread, text },
        };
        await channel.SendAsync(Event("message", "not for you", "1.1")).ShouldBe(200);
        await channel.SendAsync(Event("app_mention", "/echo me", "1.2", bot: "B1")).ShouldBe(200);
        await channel.SendAsync(Event("app_mention", "<@UBOT> /echo a &lt; b", "1.3")).ShouldBe(200);
        await channel.SendAsync(Event("app_mention", "<@UBOT> /echo more", "1.5", thread: "1.4")).ShouldBe(200);
        (await world.ToAsync(place, 2)).ShouldBe(["a &lt; b", "more"]);
        world.Providers.All.Where(d => d.To == place).Select(d => d.Body.Text("thread_ts")).ShouldBe(["1.3", "1.4"]);
    }

    [Fact]
    public async Task WhatsApp_asks_with_a_word_and_sends_several_at_once()
    {
        var channel = await world.OpenAsync("whatsapp");
        await world.Server.Anonymous.GetAsync($"{channel.Hook}?hub.mode=subscribe&hub.challenge=77&hub.verify_token=verify-him", Token).ShouldBeError(401, "UNAUTHORIZED");
        using var asked = await world.Server.Anonymous.GetAsync($"{channel.Hook}?hub.mode=subscribe&hub.challenge=77&hub.verify_token=verify-me", Token);
        ((int)asked.StatusCode, await asked.Content.ReadAsStringAsync(Token)).ShouldBe((200, "77"));
        (await channel.ReadAsync()).Text("status").ShouldBe("active");
        var contact = ChannelWorld.NewContact();
        await channel.SendAsync(TestChannel.WhatsApp(contact, Text("a"), Text("b"), Text("c"))).ShouldBe(200);
        (await world.ToAsync(contact, 3)).ShouldBe(["a", "b", "c"]);
        (await channel.ContactAsync(contact)).Text("display_name").ShouldBe("Grace");
        var other = await world.OpenAsync("webhook");
        await world.Server.Anonymous.GetAsync(other.Hook, Token).ShouldBeError(404, "NOT_FOUND");

        object Text(string text) => new { from = contact, id = "wamid." + text + contact, type = "text", text = new { body = "/echo " + text } };
    }

    [Fact]
    public async Task In_groups_a_telegram_bot_answers_those_who_mean_it()
    {
        var group = "-100" + ChannelWorld.NewContact();
        var channel = await world.OpenAsync("telegram");
        await SayAsync("/echo nobody asked");
        await SayAsync("/echo @ada_bottle is somebody else");
        await SayAsync("/echo one @Ada_Bot please");
        await SayAsync("/echo two", new { from = new { id = 123456 } });
        (await world.ToAsync(group, 2)).ShouldBe(["one please", "two"]);
        world.Providers.All.Last(d => d.To == group).Body.GetProperty("reply_parameters").GetProperty("message_id").GetInt32().ShouldBe(9);
        var contact = await channel.ContactAsync(group);
        contact.Text("display_name").ShouldBe("Engines");
        (await world.World.MessagesAsync(contact.GetProperty("thread_id").GetGuid()))[0].Text("sender_id").ShouldBe("5");
        await world.World.PatchAsync(channel.Path, new { config = new { replyInGroups = "always" } }).ShouldBe(200);
        await SayAsync("/echo three");
        (await world.ToAsync(group, 3))[2].ShouldBe("three");
        await world.World.PatchAsync(channel.Path, new { config = new { replyInGroups = "never" } }).ShouldBe(200);
        await SayAsync("/echo @ada_bot four");
        await channel.SayAsync("5", "/echo private");
        await world.ToAsync("5");
        world.Providers.To(group).Count.ShouldBe(3);

        async Task SayAsync(string text, object? reply = null) => await channel.SendAsync(TestChannel.Telegram(TestChannel.NewId(), new
        {
            message_id = 9, from = new { id = 5, first_name = "Grace" }, chat = new { id = long.Parse(group, System.Globalization.CultureInfo.InvariantCulture), type = "supergroup", title = "Engines" }, reply_to_message = reply, text,
        })).ShouldBe(200);
    }

    [Fact]
    public async Task A_webhook_says_where_its_fields_are_and_gets_signed_answers()
    {
        var channel = await world.OpenAsync("webhook", new { idPath = "$.user.ids[0]", textPath = "$['the text']", namePath = "$.user.name" });
        var contact = ChannelWorld.NewContact();
        await channel.SendAsync($$"""{"user":{"ids":[{{contact}}],"name":"Grace"},"the text":"/echo hi"}""").ShouldBe(200);
        await world.ToAsync(contact);
        var body = world.Providers.All.Single(d => d.To == contact).Body;
        body.EnumerateObject().Select(p => p.Name).ShouldBe(["contact", "text", "threadId", "messageId", "attachments"]);
        var seen = await channel.ContactAsync(contact);
        (seen.Text("display_name"), seen.Text("thread_id")).ShouldBe(("Grace", body.Text("threadId")));
        (await world.World.MessagesAsync(seen.GetProperty("thread_id").GetGuid()))[^1].Text("id").ShouldBe(body.Text("messageId"));
        await channel.SendAsync("""{"user":{"ids":[]},"the text":"x"}""").ShouldBeError(422, "VALIDATION_ERROR", "$.user.ids[0]");
    }

    [Fact]
    public async Task A_channel_that_is_off_takes_messages_and_forgets_them()
    {
        var (channel, contact) = (await world.OpenAsync("webhook"), ChannelWorld.NewContact());
        await world.World.PatchAsync(channel.Path, new { enabled = false }).ShouldBe(200);
        await channel.SayAsync(contact, "/echo lost");
        await world.World.PatchAsync(channel.Path, new { enabled = true }).ShouldBe(200);
        await channel.SayAsync(contact, "/echo found");
        (await world.ToAsync(contact)).ShouldBe(["found"]);
    }

    private static void Replace(HttpRequestMessage request, string header, string value)
    {
        request.Headers.Remove(header);
        request.Headers.Add(header, value);
    }
}
