using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tests.PublicChat;

public sealed class VisitorLimitTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_address_opens_so_many_threads_an_hour_and_sends_so_many_messages_a_minute()
    {
        await using var world = await TurnWorld.StartAsync(settings =>
        {
            settings["Limits:PublicThreadsPerHour"] = "2";
            settings["Limits:PublicMessagesPerMinute"] = "2";
        });
        var chats = new ChatWorld(world);
        var (_, slug) = await chats.PublishAsync();
        var (_, other) = await chats.PublishAsync();
        var (thread, _) = await chats.OpenAsync(slug);
        await chats.OpenAsync(other);
        using (var refused = await chats.PostAsync($"{slug}/threads", new { }))
        {
            await refused.ShouldBeErrorAsync(429, "RATE_LIMITED");
            int.Parse(refused.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture).ShouldBeInRange(1, 3600);
        }
        world.Server.Time.Advance(TimeSpan.FromHours(1));
        await chats.OpenAsync(slug);
        for (var i = 0; i < 2; i++)
        {
            await using var stream = await chats.SayAsync(slug, thread, new { content = "/echo one" }, key: i == 0 ? null : "counted once as well");
            stream.Response.Header("X-RateLimit-Remaining").ShouldBe($"{1 - i}");
            await stream.EndAsync();
        }
        await chats.PostAsync($"{slug}/threads/{thread}/messages", new { content = "/echo three" }).ShouldBeError(429, "RATE_LIMITED");
        (await world.MessagesAsync(thread)).Count.ShouldBe(4);
        world.Server.Time.Advance(TimeSpan.FromMinutes(1));
        await using var later = await chats.SayAsync(slug, thread, new { content = "/echo later" });
        await later.EndAsync();
    }

    [Fact]
    public async Task All_visitors_of_a_chat_together_are_limited_too()
    {
        await using var world = await TurnWorld.StartAsync(settings =>
        {
            settings["Limits:PublicChatMessagesPerMinute"] = "1";
            settings["Server:TrustedProxies:0"] = "127.0.0.0/8";
        });
        var chats = new ChatWorld(world);
        var (_, slug) = await chats.PublishAsync();
        var (_, other) = await chats.PublishAsync();
        foreach (var (chat, address, status) in ((string, string, int)[])[(slug, "203.0.113.1", 200), (slug, "203.0.113.2", 429), (other, "203.0.113.2", 200)])
        {
            var (thread, _) = await chats.OpenAsync(chat);
            (await SayFromAsync(world, address, chat, thread)).ShouldBe(status);
        }
    }

    [Fact]
    public async Task What_one_address_is_refused_is_not_taken_from_the_chats_other_visitors()
    {
        await using var world = await TurnWorld.StartAsync(settings =>
        {
            settings["Limits:PublicMessagesPerMinute"] = "2";
            settings["Limits:PublicChatMessagesPerMinute"] = "2";
            settings["Server:TrustedProxies:0"] = "127.0.0.0/8";
        });
        var chats = new ChatWorld(world);
        var (_, slug) = await chats.PublishAsync();
        var (thread, _) = await chats.OpenAsync(slug);
        foreach (var (address, where, status) in ((string, Guid, int)[])[
            ("203.0.113.1", Guid.CreateVersion7(), 404), ("203.0.113.1", thread, 200), ("203.0.113.1", thread, 429), ("203.0.113.1", Guid.CreateVersion7(), 429), ("203.0.113.2", thread, 200), ("203.0.113.3", thread, 429)])
        {
            (await SayFromAsync(world, address, slug, where)).ShouldBe(status, $"{address} {where}");
        }
    }

    [Fact]
    public async Task Requests_without_a_credential_are_counted_by_address_and_probes_are_not()
    {
        await using var world = await TurnWorld.StartAsync(settings =>
        {
            settings["Limits:AnonymousRequestsPerMinute"] = "3";
            settings["Server:TrustedProxies:0"] = "127.0.0.0/8";
        });
        var chats = new ChatWorld(world);
        var (_, slug) = await chats.PublishAsync();
        var path = $"/api/public/chat/{slug}";
        using (var first = await FromAsync(world, "203.0.113.1", HttpMethod.Get, path)) first.Header("X-RateLimit-Remaining").ShouldBe("2");
        (await StatusAsync("203.0.113.1", HttpMethod.Post, $"{path}/threads/{Guid.CreateVersion7()}/stop")).ShouldBe(404);
        (await StatusAsync("203.0.113.1", HttpMethod.Get, $"/chat/{slug}")).ShouldBe(200);
        using (var refused = await FromAsync(world, "203.0.113.1", HttpMethod.Get, path)) await refused.ShouldBeErrorAsync(429, "RATE_LIMITED");
        (await StatusAsync("203.0.113.1", HttpMethod.Post, $"{path}/threads/{Guid.CreateVersion7()}/messages")).ShouldBe(429);
        (await StatusAsync("203.0.113.1", HttpMethod.Get, "/healthz")).ShouldBe(200);
        (await StatusAsync("203.0.113.2", HttpMethod.Get, path)).ShouldBe(200);
        await world.Server.Client.GetAsync("/api/agents", Token).ShouldBe(200);
        world.Server.Time.Advance(TimeSpan.FromMinutes(1));
        (await StatusAsync("203.0.113.1", HttpMethod.Get, path)).ShouldBe(200);

        async Task<int> StatusAsync(string address, HttpMethod method, string at)
        {
            using var response = await FromAsync(world, address, method, at);
            return (int)response.StatusCode;
        }
    }

    [Fact]
    public async Task Refusals_of_strangers_are_not_kept_under_their_keys()
    {
        await using var world = await TurnWorld.StartAsync();
        var chats = new ChatWorld(world);
        var (_, slug) = await chats.PublishAsync();
        for (var i = 0; i < 2; i++)
        {
            await chats.PostAsync("no-such-chat/threads", new { }, key: "a").ShouldBeError(404, "NOT_FOUND");
            await chats.PostAsync($"{slug}/threads", new { title = new string('x', 301) }, key: "b").ShouldBeError(422, "VALIDATION_ERROR", "title");
            using var nowhere = await chats.PostAsync(slug, new { }, key: "c");
            ((int)nowhere.StatusCode, nowhere.Header("Idempotency-Replayed")).ShouldBe((405, null));
        }
        await using (var db = world.Server.Database()) (await db.IdempotencyRecords.IgnoreQueryFilters().CountAsync(Token)).ShouldBe(0);
        var opened = await chats.PostAsync($"{slug}/threads", new { }, key: "d").ShouldBe(200);
        (await chats.PostAsync($"{slug}/threads", new { }, key: "d").ShouldBe(200)).Text("id").ShouldBe(opened.Text("id"));
    }

    [Fact]
    public async Task A_message_with_a_key_is_not_read_before_its_sender_may_send_it()
    {
        await using var world = await TurnWorld.StartAsync(settings => settings["Limits:PublicMessagesPerMinute"] = "3");
        var chats = new ChatWorld(world);
        var (_, slug) = await chats.PublishAsync();
        var (thread, _) = await chats.OpenAsync(slug);
        // The client waits for the server to ask for the body.
        using var client = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromSeconds(30) }) { BaseAddress = world.Server.BaseAddress };
        foreach (var (chat, where, status) in ((string, Guid, int)[])[("no-such-chat", thread, 404), (slug, Guid.CreateVersion7(), 404), (slug, thread, 413), (slug, thread, 429)])
        {
            using var content = new WatchedContent();
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/public/chat/{chat}/threads/{where}/messages") { Content = content, Headers = { ExpectContinue = true } };
            request.Headers.Add("Idempotency-Key", "k");
            using var response = await client.SendAsync(request, Token);
            ((int)response.StatusCode, content.WasAskedFor).ShouldBe((status, false), $"{chat} {where}");
        }
    }

    private static async Task<int> SayFromAsync(TurnWorld world, string address, string slug, Guid thread)
    {
        using var response = await FromAsync(world, address, HttpMethod.Post, $"/api/public/chat/{slug}/threads/{thread}/messages", new { content = "/echo x" });
        return (int)response.StatusCode;
    }

    private static Task<HttpResponseMessage> FromAsync(TurnWorld world, string address, HttpMethod method, string path, object? body = null)
    {
        var request = new HttpRequestMessage(method, path) { Content = body is null ? null : TurnWorld.Body(body) };
        request.Headers.Add("X-Forwarded-For", address);
        return world.Server.Anonymous.SendAsync(request, Token);
    }

    /// <summary>4 MB, more than a message without attachments may have.</summary>
    private sealed class WatchedContent : HttpContent
    {
        private const int Size = 4 * 1024 * 1024;

        public bool WasAskedFor { get; private set; }

        protected override bool TryComputeLength(out long length)
        {
            length = Size;
            return true;
        }

        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            WasAskedFor = true;
            return stream.WriteAsync(new byte[Size], 0, Size);
        }
    }
}
