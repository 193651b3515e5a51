using System.Text.RegularExpressions;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.PublicChat;

public sealed partial class ChatPageTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private readonly ChatWorld _chats = new(world);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_holds_no_script_or_style_of_its_own_and_says_so_in_its_policy()
    {
        var (_, slug) = await _chats.PublishAsync(new { title = "<script>alert(1)</script>", description = "\"><img src=x>" });
        using var page = await world.Server.Anonymous.GetAsync($"/chat/{slug}", Token);
        var html = await page.Content.ReadAsStringAsync(Token);
        ((int)page.StatusCode, page.Content.Headers.ContentType!.ToString()).ShouldBe((200, "text/html; charset=utf-8"));
        html.ShouldNotContain("<script>");
        html.ShouldNotContain("<img");
        html.ShouldContain("&lt;script&gt;");
        InlineCode().IsMatch(html).ShouldBeFalse();
        var policy = page.Header("Content-Security-Policy")!;
        policy.ShouldContain("default-src 'none'");
        policy.ShouldContain("frame-ancestors 'none'");
        policy.ShouldNotContain("unsafe");
        page.Header("X-Content-Type-Options").ShouldBe("nosniff");
        foreach (Match asset in Asset().Matches(html))
        {
            using var file = await world.Server.Anonymous.GetAsync(asset.Groups[1].Value, Token);
            ((int)file.StatusCode).ShouldBe(200, asset.Value);
            file.Header("X-Content-Type-Options").ShouldBe("nosniff");
        }
        Asset().Count(html).ShouldBe(3);
    }

    [Fact]
    public async Task Pages_of_listed_origins_may_frame_it()
    {
        var (_, slug) = await _chats.PublishAsync(new { allowedOrigins = new[] { "https://www.example.com" } });
        using var page = await world.Server.Anonymous.GetAsync($"/chat/{slug}", Token);
        page.Header("Content-Security-Policy")!.ShouldEndWith("frame-ancestors 'self' https://www.example.com");
    }

    [Theory]
    [InlineData("no-such-chat")]
    [InlineData("..%2f..%2fetc")]
    [InlineData("UPPER")]
    public async Task An_address_without_a_chat_is_a_page_that_says_so(string slug)
    {
        using var page = await world.Server.Anonymous.GetAsync($"/chat/{slug}", Token);
        ((int)page.StatusCode, page.Content.Headers.ContentType!.MediaType).ShouldBe((404, "text/html"));
        page.Header("Content-Security-Policy")!.ShouldContain("default-src 'none'");
    }

    [GeneratedRegex(@"<style|style=|<script(?! type=""module"" src)|\son[a-z]+=", RegexOptions.IgnoreCase)]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"(?:src|href)=""(/chat/assets/[a-z.]+)""")]
    private static partial Regex Asset();
}
