using System.Text;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Flapjack.Server.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Flapjack.Server.Tests.Web;

/// <summary>The server's own reader and crawler.</summary>
public sealed class PageTests(WebWorld world) : IClassFixture<WebWorld>, IAsyncLifetime
{
    private FakeWeb _web = null!;

    public async ValueTask InitializeAsync()
    {
        _web = await FakeWeb.StartAsync();
        // The rules of another test's site, which had the same port, are forgotten.
        world.Server.Time.Advance(TimeSpan.FromHours(2));
    }

    public ValueTask DisposeAsync() => _web.DisposeAsync();

    [Fact]
    public async Task A_page_is_its_main_text()
    {
        _web.Page("/p", "<html><head><title>My page</title><script>alert(1)</script></head><body><nav>Menu</nav><main><h1>Heading</h1><p>The text of it.</p></main></body></html>");
        var result = await ReadAsync("/p");
        (result.Text("url"), result.Text("title"), result.GetProperty("truncated").GetBoolean()).ShouldBe((_web.Address + "/p", "My page", false), result.GetRawText());
        result.Text("text").ShouldContain("The text of it.");
        result.Text("text").ShouldNotContain("alert");
        result.GetRawText().ShouldStartWith("""{"notice":"This is material from the web.""");
        _web.Paths.ShouldBe(["/robots.txt", "/p"]);
        _web.Calls.ShouldAllBe(call => call.Headers["User-Agent"] == "FlapjackBot/1.0");
        // The rules of the site are remembered.
        await ReadAsync("/p");
        _web.Paths.ShouldBe(["/robots.txt", "/p", "/p"]);
    }

    [Fact]
    public async Task Texts_are_cut_at_what_the_model_or_the_agent_allows()
    {
        _web.Page("/long", $"<html><body><main><p>{string.Join(' ', Enumerable.Range(0, 2_000).Select(i => $"word{i}"))}</p></main></body></html>");
        var thread = await world.OpenAsync(new { maxReadChars = 1000 });
        var result = await world.CallAsync(thread, "web_read", new { url = _web.Address + "/long", max_chars = 50_000 });
        result.Text("text").Length.ShouldBeInRange(900, 1_000);
        result.GetProperty("truncated").GetBoolean().ShouldBeTrue();
        (await world.CallAsync(thread, "web_read", new { url = _web.Address + "/long", max_chars = 100 })).Text("text").Length.ShouldBeLessThanOrEqualTo(100);
    }

    [Fact]
    public async Task What_a_page_is_shows_in_its_content()
    {
        _web.Page("/latin", Encoding.Latin1.GetBytes("<html><body><main><p>Grüße aus Köln, wo es schön ist.</p></main></body></html>"), "text/html; charset=iso-8859-1")
            .Page("/plain", "Just text, nothing else.", "text/plain").Page("/json", """{"answer":42}""", "application/json")
            .Page("/image", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13], "text/html");
        (await ReadAsync("/latin")).Text("text").ShouldContain("Grüße aus Köln");
        (await ReadAsync("/plain")).Text("text").ShouldContain("Just text");
        (await ReadAsync("/json")).Text("text").ShouldContain("42");
        (await ReadAsync("/image")).Text("error").ShouldBe("TOOL_FAILED");
    }

    [Fact]
    public async Task What_cannot_be_read_is_an_error_with_its_reason()
    {
        _web.Status("/gone", 410).Page("/big", new byte[1_100_000], "text/plain").Redirect("/round", "/round").Redirect("/file", "file:///etc/passwd");
        (await ReadAsync("/gone")).Text("error").ShouldBe("TOOL_HTTP_410");
        (await ReadAsync("/big")).Text("error").ShouldBe("TOOL_RESPONSE_TOO_LARGE");
        (await ReadAsync("/round")).Text("error").ShouldBe("TOOL_REDIRECT_REFUSED");
        (await ReadAsync("/file")).Text("error").ShouldBe("TOOL_REDIRECT_REFUSED");
        var thread = await world.OpenAsync();
        foreach (var url in (string[])["ftp://example.com/", "file:///etc/passwd", "example.com", "http://u:p@example.com/", " "])
        {
            (await world.CallAsync(thread, "web_read", new { url })).Text("error").ShouldBe("INVALID_ARGUMENTS", url);
        }
        (await world.CallAsync(thread, "web_read", new { url = "http://127.0.0.1:1/" })).Text("error").ShouldBe("TOOL_UNREACHABLE");
        (await world.CallAsync(thread, "web_read", new { url = "http://10.1.2.3/" })).Text("error").ShouldBe("BLOCKED_ADDRESS");
        await using var strict = await TurnWorld.StartAsync();
        var blocked = await WebWorld.CallAsync(strict, await WebWorld.OpenAsync(strict), "web_read", new { url = _web.Address });
        (blocked.Text("error"), blocked.Text("detail")).ShouldBe(("BLOCKED_ADDRESS", "127.0.0.1: the network rules of this server forbid the address"));
    }

    [Fact]
    public async Task A_redirect_is_followed_only_where_the_agent_may_go()
    {
        await using var other = await FakeWeb.StartAsync();
        other.Linking("/there", "Arrived at last.");
        var elsewhere = other.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        _web.Redirect("/away", elsewhere + "/there", 301).Redirect("/inside", "http://169.254.169.254/");
        var result = await ReadAsync("/away");
        (result.Text("url"), result.Text("title")).ShouldBe((elsewhere + "/there", "Title of /there"));
        other.Paths.ShouldBe(["/robots.txt", "/there"]);
        (await ReadAsync("/inside")).Text("error").ShouldBe("BLOCKED_ADDRESS");
        var refused = await ReadAsync("/away", new { blockedDomains = new[] { "localhost" } });
        (refused.Text("error"), refused.Text("detail")).ShouldBe(("BLOCKED_ADDRESS", "this agent may not read pages of localhost"));
        (await ReadAsync("/away", new { allowedDomains = new[] { "127.0.0.1" } })).Text("error").ShouldBe("BLOCKED_ADDRESS");
        other.Calls.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Robots_txt_is_honoured_on_every_hop()
    {
        _web.Page("/robots.txt", "User-agent: *\nDisallow: /private\nAllow: /private/open\n", "text/plain").Linking("/private/open", "Welcome in here.").Linking("/private/x", "Secret things.").Redirect("/hop", "/private/x");
        (await ReadAsync("/private/open")).Text("title").ShouldBe("Title of /private/open");
        (await ReadAsync("/private/x")).GetRawText().ShouldBe("""{"error":"BLOCKED_ADDRESS","detail":"the robots.txt of 127.0.0.1 does not allow this page"}""");
        (await ReadAsync("/hop")).Text("error").ShouldBe("BLOCKED_ADDRESS");
        _web.Paths.ShouldNotContain("/private/x");
        // A site whose rules cannot be read is left alone.
        await using var broken = await FakeWeb.StartAsync();
        broken.Status("/robots.txt", 503).Linking("/x", "Text.");
        (await world.CallAsync(await world.OpenAsync(), "web_read", new { url = broken.Address + "/x" })).Text("error").ShouldBe("BLOCKED_ADDRESS");
    }

    [Fact]
    public async Task A_crawl_stays_on_its_site_and_takes_what_it_is_told_to()
    {
        await using var other = await FakeWeb.StartAsync();
        _web.Page("/robots.txt", "User-agent: FlapjackBot\nDisallow: /docs/hidden", "text/plain")
            .Linking("/docs/", "Start of it all.", "/docs/a", "/docs/b#part", "/docs/b", "/docs/hidden", "/blog/x", "/docs/old/y", other.Address + "/away", "/docs/broken", "mailto:a@example.com", "/docs/out")
            .Linking("/docs/a", "Page a says this.", "/docs/", "/docs/c").Linking("/docs/b", "Page b says that.").Linking("/docs/c", "Page c is last.").Linking("/blog/x", "Not wanted.").Linking("/docs/old/y", "Not wanted either.").Redirect("/docs/out", other.Address + "/away");
        other.Linking("/away", "Somewhere else.");
        var thread = await world.OpenAsync();
        var result = await world.CallAsync(thread, "web_crawl", new { url = _web.Address + "/docs/", include = new[] { "/docs/*" }, exclude = new[] { "*/old/*" } });
        result.TryGetProperty("pages", out var pages).ShouldBeTrue(result.GetRawText());
        pages.EnumerateArray().Select(p => new Uri(p.Text("url")).AbsolutePath).ShouldBe(["/docs/", "/docs/a", "/docs/b", "/docs/c"]);
        pages[1].Text("text").ShouldContain("Page a says this.");
        // Forbidden, broken, and one that leads away.
        result.GetProperty("skipped").GetInt32().ShouldBe(3);
        _web.Paths.ShouldNotContain("/docs/hidden");
        _web.Paths.Count(p => p == "/docs/b").ShouldBe(1);

        var few = await world.CallAsync(thread, "web_crawl", new { url = _web.Address + "/docs/", max_pages = 2 });
        few.GetProperty("pages").GetArrayLength().ShouldBe(2);
        few.GetProperty("skipped").GetInt32().ShouldBeGreaterThan(3);
    }

    [Fact]
    public async Task A_crawl_never_asks_for_more_than_the_agent_may()
    {
        for (var i = 0; i < 30; i++) _web.Linking($"/p{i}", "Words and words.", $"/p{i + 1}", $"/p{i + 2}");
        var thread = await world.OpenAsync(new { maxPages = 4 });
        (await world.CallAsync(thread, "web_crawl", new { url = _web.Address + "/p0", max_pages = 100 })).GetProperty("pages").GetArrayLength().ShouldBe(4);
        (await world.CallAsync(thread, "web_crawl", new { url = _web.Address + "/nothing" })).Text("error").ShouldBe("TOOL_HTTP_404");
    }

    [Fact]
    public async Task A_page_has_its_time_once_however_often_it_redirects()
    {
        await using var own = await WebWorld.StartAsync();
        _web.On("/hop", http =>
        {
            own.Server.Time.Advance(TimeSpan.FromSeconds(12));
            http.Response.Redirect("/end");
            return Task.CompletedTask;
        }).On("/end", http =>
        {
            own.Server.Time.Advance(TimeSpan.FromSeconds(12));
            return http.Response.WriteAsync("At last.");
        });
        var thread = await WebWorld.OpenAsync(own);
        (await WebWorld.CallAsync(own, thread, "web_read", new { url = _web.Address + "/hop" })).GetRawText().ShouldBe("""{"error":"TOOL_TIMEOUT","detail":"127.0.0.1: no answer within 20 s"}""");
        (await WebWorld.CallAsync(own, thread, "web_read", new { url = _web.Address + "/end" })).Text("text").ShouldBe("At last.");
    }

    [Fact]
    public async Task The_first_page_of_a_crawl_is_read_within_the_crawls_time()
    {
        await using var own = await TurnWorld.StartAsync(settings => settings["Network:AllowedHosts:0"] = "loopback", services => services.Replace(ServiceDescriptor.Singleton(new WebLimits { CrawlTime = TimeSpan.FromSeconds(5) })));
        _web.On("/late", http =>
        {
            own.Server.Time.Advance(TimeSpan.FromSeconds(6));
            return http.Response.WriteAsync("Too late.");
        });
        var result = await WebWorld.CallAsync(own, await WebWorld.OpenAsync(own), "web_crawl", new { url = _web.Address + "/late" });
        result.GetRawText().ShouldBe("""{"error":"TOOL_TIMEOUT","detail":"127.0.0.1: no page within 5 s"}""");
    }

    private async Task<System.Text.Json.JsonElement> ReadAsync(string path, object? config = null) => await world.CallAsync(await world.OpenAsync(config), "web_read", new { url = _web.Address + path });
}
