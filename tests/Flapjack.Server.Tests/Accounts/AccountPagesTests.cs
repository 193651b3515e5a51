using System.Text.RegularExpressions;

namespace Flapjack.Server.Tests.Accounts;

public sealed partial class AccountPagesTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/login?token=abc")]
    [InlineData("/signup?invite=abc")]
    public async Task Links_lead_to_a_page_that_runs_nothing_but_its_own_script(string address)
    {
        using var page = await server.Anonymous.GetAsync(address, Token);
        var html = await page.Content.ReadAsStringAsync(Token);
        ((int)page.StatusCode, page.Content.Headers.ContentType!.ToString()).ShouldBe((200, "text/html; charset=utf-8"));
        var policy = page.Header("Content-Security-Policy")!;
        policy.ShouldContain("default-src 'none'");
        policy.ShouldContain("frame-ancestors 'none'");
        policy.ShouldNotContain("unsafe");
        page.Header("Referrer-Policy").ShouldBe("no-referrer");
        InlineCode().IsMatch(html).ShouldBeFalse();
        var assets = Asset().Matches(html).Select(match => match.Groups[1].Value).ToList();
        assets.ShouldBe(["/login/account.css", "/login/account.js"]);
        foreach (var asset in assets)
        {
            using var file = await server.Anonymous.GetAsync(asset, Token);
            ((int)file.StatusCode).ShouldBe(200, asset);
            file.Header("X-Content-Type-Options").ShouldBe("nosniff");
        }
    }

    [Fact]
    public async Task The_script_asks_for_elements_that_the_page_has()
    {
        var html = await server.Anonymous.GetStringAsync("/login", Token);
        var script = await server.Anonymous.GetStringAsync("/login/account.js", Token);
        var asked = Element().Matches(script).Select(match => match.Groups[1].Value).Distinct().ToList();
        asked.Count.ShouldBeGreaterThan(8);
        foreach (var id in asked) html.ShouldContain($"id=\"{id}\"");
    }

    [Fact]
    public async Task Other_files_there_are_none() => await server.Anonymous.GetAsync("/login/account.html", Token).ShouldBeError(404, "NOT_FOUND");

    [GeneratedRegex(@"<style|style=|<script(?! type=""module"" src)|\son[a-z]+=", RegexOptions.IgnoreCase)]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"(?:src|href)=""(/login/[a-z.]+)""")]
    private static partial Regex Asset();

    [GeneratedRegex(@"(?:\$|onSubmit|show)\('([a-zA-Z]+)'")]
    private static partial Regex Element();
}
