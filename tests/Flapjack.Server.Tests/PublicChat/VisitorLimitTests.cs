using Flapjack.Server.Tests.Threads;

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
            await using var stream = await chats.SayAsync(slug, thread, new { content = "/echo one" });
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
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/public/chat/{chat}/threads/{thread}/messages") { Content = TurnWorld.Body(new { content = "/echo x" }) };
            request.Headers.Add("X-Forwarded-For", address);
            using var response = await world.Server.Anonymous.SendAsync(request, Token);
            ((int)response.StatusCode).ShouldBe(status);
        }
    }
}
