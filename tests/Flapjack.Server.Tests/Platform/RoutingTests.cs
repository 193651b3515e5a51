namespace Flapjack.Server.Tests.Platform;

/// <summary>Paths, methods and the headers that every answer carries.</summary>
public sealed class RoutingTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/api/nothing")]
    [InlineData("/")]
    [InlineData("/API/agents")]
    [InlineData("/api/Agents")]
    [InlineData("/Healthz")]
    [InlineData("/api/agents/not-a-uuid")]
    [InlineData("/api/internal")]
    [InlineData("/api/internal/turns/1")]
    [InlineData("/api/agents//")]
    public async Task An_unknown_path_is_404_for_everybody(string path)
    {
        await server.Anonymous.GetAsync(path, Token).ShouldBeError(404, "NOT_FOUND");
        await server.Client.GetAsync(path, Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Internal_paths_are_404_with_any_method() =>
        await server.Anonymous.PostAsync("/api/internal/run", JsonText.Content("{}"), Token).ShouldBeError(404, "NOT_FOUND");

    [Fact]
    public async Task One_trailing_slash_is_ignored()
    {
        await server.Client.GetAsync("/api/agents/", Token).ShouldBe(200);
        await server.Anonymous.GetAsync("/healthz/", Token).ShouldBe(200);
    }

    [Fact]
    public async Task A_known_path_with_another_method_is_405_with_Allow()
    {
        using var response = await server.Anonymous.PutAsync("/api/agents", JsonText.Content("{}"), Token);
        await response.ShouldBeErrorAsync(405, "METHOD_NOT_ALLOWED");
        response.Header("Allow")!.Split(", ").Order().ShouldBe(["GET", "POST"]);
    }

    [Fact]
    public async Task A_stranger_is_401_with_a_challenge()
    {
        using var response = await server.Anonymous.GetAsync("/api/agents", Token);
        await response.ShouldBeErrorAsync(401, "UNAUTHORIZED");
        response.Header("WWW-Authenticate").ShouldBe("Bearer");
    }

    [Theory]
    [InlineData("12345678", true)]
    [InlineData("a-request_of:mine/1", true)]
    [InlineData("short", false)]
    [InlineData("has blanks in it", false)]
    public async Task A_request_id_is_echoed_when_valid_and_made_otherwise(string id, bool echoed)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/healthz");
        request.Headers.TryAddWithoutValidation("X-Request-Id", id);
        using var response = await server.Anonymous.SendAsync(request, Token);
        (response.Header("X-Request-Id") == id).ShouldBe(echoed);
        response.Header("X-Request-Id")!.Length.ShouldBeGreaterThanOrEqualTo(8);
    }

    [Fact]
    public async Task Every_answer_names_version_and_contract()
    {
        using var response = await server.Anonymous.GetAsync("/nothing", Token);
        response.Header("X-Flapjack-Compat").ShouldBe("2026-05-11");
        response.Header("Server-Version")!.ShouldMatch(@"^\d+\.\d+\.\d+$");
        response.Header("Server").ShouldBeNull();
    }
}
