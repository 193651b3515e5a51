using System.Net.Http.Headers;

namespace Flapjack.Server.Tests.Operations;

public sealed class DocsTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_committed_document_is_served()
    {
        using var response = await server.Anonymous.GetAsync("/openapi/v1.json", Token);
        var document = await response.ShouldBeAsync(200);
        document.GetProperty("openapi").GetString()!.ShouldStartWith("3.1");
        document.ToString().ShouldBe((await File.ReadAllTextAsync(Path.Combine(Contract.Repository.Root, "openapi", "v1.json"), Token)).TrimEnd());
        using var request = new HttpRequestMessage(HttpMethod.Get, "/openapi/v1.json");
        request.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Parse(response.Header("ETag")!));
        using var again = await server.Anonymous.SendAsync(request, Token);
        ((int)again.StatusCode).ShouldBe(304);
    }

    [Fact]
    public async Task The_browser_page_needs_nothing_from_elsewhere_and_runs_no_inline_script()
    {
        using var response = await server.Anonymous.GetAsync("/docs", Token);
        ((int)response.StatusCode).ShouldBe(200);
        response.Header("Content-Security-Policy")!.ShouldContain("script-src 'self'");
        response.Header("Content-Security-Policy")!.ShouldNotContain("unsafe");
        response.Header("X-Content-Type-Options").ShouldBe("nosniff");
        foreach (var path in (string[])["/docs", "/docs/docs.js", "/docs/docs.css"])
        {
            using var part = await server.Anonymous.GetAsync(path, Token);
            ((int)part.StatusCode).ShouldBe(200);
            (await part.Content.ReadAsStringAsync(Token)).ShouldNotMatch("https?://|<script>|onclick=");
        }
        await server.Anonymous.GetAsync("/docs/other.js", Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task A_browser_at_the_root_is_led_to_the_page()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Accept.ParseAdd("text/html,application/xhtml+xml,*/*;q=0.8");
        using var answer = await server.Anonymous.SendAsync(request, Token);
        ((int)answer.StatusCode, answer.Headers.Location!.ToString()).ShouldBe((302, "/docs"));
    }
}
