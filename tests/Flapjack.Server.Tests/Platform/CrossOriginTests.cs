namespace Flapjack.Server.Tests.Platform;

public sealed class CrossOriginTests(CrossOriginTests.Configured configured) : IClassFixture<CrossOriginTests.Configured>
{
    private const string Known = "https://app.example.com";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private ServerFixture Server => configured.Server;

    [Fact]
    public async Task A_preflight_of_a_listed_origin_is_answered()
    {
        using var response = await SendAsync(HttpMethod.Options, "/api/agents", Known, preflight: true);
        ((int)response.StatusCode).ShouldBe(204);
        response.Header("Access-Control-Allow-Origin").ShouldBe(Known);
        var headers = response.Header("Access-Control-Allow-Headers")!.Split(", ");
        headers.ShouldBeSubsetOf(["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Flapjack-Org", "X-Flapjack-Session", "X-Request-Id"]);
        headers.ShouldContain("Authorization");
        response.Header("Vary")!.ShouldContain("Origin");
        response.Header("Access-Control-Allow-Credentials").ShouldBeNull();
    }

    [Fact]
    public async Task Answers_to_a_listed_origin_may_be_read_refusals_included()
    {
        using var response = await SendAsync(HttpMethod.Get, "/api/agents", Known);
        await response.ShouldBeErrorAsync(401, "UNAUTHORIZED");
        response.Header("Access-Control-Allow-Origin").ShouldBe(Known);
        response.Header("Access-Control-Expose-Headers")!.ShouldContain("X-Request-Id");
    }

    [Theory]
    [InlineData("https://evil.example.com", "/api/agents")]
    [InlineData("https://app.example.com.evil.example", "/api/agents")]
    [InlineData("null", "/api/agents")]
    [InlineData(Known, "/healthz")]
    public async Task Others_get_no_cross_origin_headers(string origin, string path)
    {
        using var preflight = await SendAsync(HttpMethod.Options, path, origin, preflight: true);
        ((int)preflight.StatusCode).ShouldBe(405);
        preflight.Header("Access-Control-Allow-Origin").ShouldBeNull();
        using var plain = await SendAsync(HttpMethod.Get, path, origin);
        plain.Header("Access-Control-Allow-Origin").ShouldBeNull();
    }

    [Fact]
    public async Task Public_chat_is_open_to_any_origin()
    {
        using var response = await SendAsync(HttpMethod.Options, "/api/public/chat/some", "https://anywhere.example", preflight: true);
        ((int)response.StatusCode).ShouldBe(204);
        response.Header("Access-Control-Allow-Headers")!.ShouldContain("X-Flapjack-Session");
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string origin, bool preflight = false)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Origin", origin);
        if (preflight) request.Headers.Add("Access-Control-Request-Method", "POST");
        return await Server.Anonymous.SendAsync(request, Token);
    }

    public sealed class Configured : IAsyncLifetime
    {
        public ServerFixture Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await ServerFixture.StartAsync(settings => settings["Cors:Origins:0"] = Known);

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
