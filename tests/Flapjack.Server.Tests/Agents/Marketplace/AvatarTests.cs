using Flapjack.Server.Agents.Marketplace;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Files;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tests.Agents.Marketplace;

public sealed class AvatarTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<byte[], string> Kinds => new()
    {
        { Pictures.Png(), "image/png" },
        { Pictures.Jpeg(), "image/jpeg" },
        { Pictures.Gif(), "image/gif" },
        { Pictures.WebpLossy(), "image/webp" },
        { Pictures.WebpLossless(), "image/webp" },
        { Pictures.WebpExtended(), "image/webp" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_picture_is_shown_to_anybody_as_it_was_sent(byte[] picture, string type)
    {
        var agent = await ProfiledAsync();
        // The name and the declared type say something else.
        var url = (await server.Client.SendAvatarAsync(agent, picture, "page.html").ShouldBe(200)).Text("avatar_url");
        url.ShouldStartWith(new Uri(server.BaseAddress, "/api/marketplace/avatars/").ToString());
        (await server.Client.ProfileAsync(agent).ShouldBe(200)).Text("avatar_url").ShouldBe(url);
        using var shown = await server.Anonymous.GetAsync(url, Token);
        shown.StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);
        (await shown.Content.ReadAsByteArrayAsync(Token)).ShouldBe(picture);
        (shown.Header("Content-Type"), shown.Header("X-Content-Type-Options"), shown.Header("Content-Security-Policy")).ShouldBe((type, "nosniff", "sandbox; default-src 'none'"));
        shown.Headers.NonValidated["Cache-Control"].ToString().ShouldBe("public, max-age=31536000, immutable");
        using var again = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { IfNoneMatch = { shown.Headers.ETag! } } };
        using var unchanged = await server.Anonymous.SendAsync(again, Token);
        unchanged.StatusCode.ShouldBe(System.Net.HttpStatusCode.NotModified);
    }

    [Fact]
    public async Task A_replaced_picture_leaves_nothing_behind_and_a_deleted_profile_none()
    {
        var agent = await ProfiledAsync();
        var first = (await server.Client.SendAvatarAsync(agent, Pictures.Png()).ShouldBe(200)).Text("avatar_url");
        var second = (await server.Client.SendAvatarAsync(agent, Pictures.Gif()).ShouldBe(200)).Text("avatar_url");
        second.ShouldNotBe(first);
        await server.Anonymous.GetAsync(first, Token).ShouldBeError(404, "NOT_FOUND");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => server.Client.SendAvatarAsync(agent, Pictures.Png(10 + i)).ShouldBe(200)));
        (await CountAsync(agent)).ShouldBe(1);
        var last = (await server.Client.ProfileAsync(agent).ShouldBe(200)).Text("avatar_url");
        await server.Client.DeleteProfileAsync(agent).ShouldBe(200);
        await server.Anonymous.GetAsync(last, Token).ShouldBeError(404, "NOT_FOUND");
        (await CountAsync(agent)).ShouldBe(0);
    }

    [Fact]
    public async Task A_picture_goes_with_its_agent()
    {
        var agent = await ProfiledAsync();
        var url = (await server.Client.SendAvatarAsync(agent, Pictures.Png()).ShouldBe(200)).Text("avatar_url");
        await server.Client.DeleteAsync($"/api/agents/{agent}", Token).ShouldBe(200);
        await server.Anonymous.GetAsync(url, Token).ShouldBeError(404, "NOT_FOUND");
        (await CountAsync(agent)).ShouldBe(0);
    }

    [Fact]
    public async Task What_is_no_picture_is_415_and_a_broken_one_422()
    {
        var agent = await ProfiledAsync();
        foreach (var content in new[] { Samples.Pdf(), "<svg xmlns='http://www.w3.org/2000/svg'/>"u8.ToArray(), "<html></html>"u8.ToArray(), "BM bitmap"u8.ToArray(), new byte[500] })
            await server.Client.SendAvatarAsync(agent, content).ShouldBeError(415, "UNSUPPORTED_MEDIA_TYPE", "file");
        foreach (var content in new[] { Pictures.Png()[..20], Pictures.Jpeg()[..12], Pictures.Gif()[..8], Pictures.WebpLossy()[..24], Pictures.Png(0, 5), Pictures.Jpeg(5, 0) })
            await server.Client.SendAvatarAsync(agent, content).ShouldBeError(422, "VALIDATION_ERROR", "file");
        await server.Client.SendAvatarAsync(agent, []).ShouldBeError(422, "VALIDATION_ERROR", "file");
        await server.Client.PostAsync($"/api/agents/{agent}/marketplace/avatar", Samples.Form(null, "", ("note", "no file")), Token).ShouldBeError(422, "VALIDATION_ERROR", "file");
        await server.Client.PostAsync($"/api/agents/{agent}/marketplace/avatar", JsonText.Content("{}"), Token).ShouldBeError(415, "UNSUPPORTED_MEDIA_TYPE");
        (await CountAsync(agent)).ShouldBe(0);
    }

    [Fact]
    public async Task Bytes_and_pixels_are_limited()
    {
        var agent = await ProfiledAsync();
        await server.Client.SendAvatarAsync(agent, Pictures.Png(bytes: MarketplaceAvatars.MaxBytes + 1)).ShouldBeError(413, "PAYLOAD_TOO_LARGE");
        await server.Client.SendAvatarAsync(agent, Pictures.Png(bytes: MarketplaceAvatars.MaxBytes + 200_000)).ShouldBeError(413, "PAYLOAD_TOO_LARGE");
        using var unannounced = Samples.Form(Pictures.Png(bytes: MarketplaceAvatars.MaxBytes + 200_000), "me.png");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/agents/{agent}/marketplace/avatar") { Content = unannounced, Headers = { TransferEncodingChunked = true } };
        await server.Client.SendAsync(request, Token).ShouldBeError(413, "PAYLOAD_TOO_LARGE");
        await server.Client.SendAvatarAsync(agent, Pictures.Png(2_049, 1)).ShouldBeError(422, "VALIDATION_ERROR", "file");
        await server.Client.SendAvatarAsync(agent, Pictures.Jpeg(1, 2_049)).ShouldBeError(422, "VALIDATION_ERROR", "file");
        await server.Client.SendAvatarAsync(agent, Pictures.Png(-1, -1)).ShouldBeError(422, "VALIDATION_ERROR", "file");
        (await CountAsync(agent)).ShouldBe(0);
        var url = (await server.Client.SendAvatarAsync(agent, Pictures.Png(2_048, 2_048, MarketplaceAvatars.MaxBytes)).ShouldBe(200)).Text("avatar_url");
        (await server.Anonymous.GetByteArrayAsync(url, Token)).Length.ShouldBe(MarketplaceAvatars.MaxBytes);
    }

    [Fact]
    public async Task A_picture_needs_a_profile_of_the_own_organisation()
    {
        await server.Client.SendAvatarAsync(await server.CreateAgentAsync(), Pictures.Png()).ShouldBeError(404, "NOT_FOUND");
        await server.Client.SendAvatarAsync(Guid.CreateVersion7(), Pictures.Png()).ShouldBeError(404, "NOT_FOUND");
        using var foreign = server.ClientFor((await server.AddKeyAsync(await server.AddOrgAsync("avatar-foreign"))).Text);
        await foreign.SendAvatarAsync(await ProfiledAsync(), Pictures.Png()).ShouldBeError(404, "NOT_FOUND");
        await server.Anonymous.GetAsync($"/api/marketplace/avatars/{Guid.CreateVersion7()}", Token).ShouldBeError(404, "NOT_FOUND");
        await server.Anonymous.GetAsync("/api/marketplace/avatars/me.png", Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Pages_of_any_origin_may_show_it()
    {
        var url = (await server.Client.SendAvatarAsync(await ProfiledAsync(), Pictures.Png()).ShouldBe(200)).Text("avatar_url");
        using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { { "Origin", "https://shop.example.com" } } };
        using var shown = await server.Anonymous.SendAsync(request, Token);
        shown.Header("Access-Control-Allow-Origin").ShouldBe("https://shop.example.com");
    }

    private async Task<Guid> ProfiledAsync()
    {
        var agent = await server.CreateAgentAsync("Pictured");
        await server.Client.SaveProfileAsync(agent, new { }).ShouldBe(200);
        return agent;
    }

    private async Task<int> CountAsync(Guid agent)
    {
        await using var db = server.Database();
        return await db.MarketplaceAvatars.IgnoreQueryFilters().CountAsync(a => a.AgentId == agent, Token);
    }
}
