using Flapjack.Server.Tests.Accounts;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tests.Credentials;

/// <summary><c>/api/agents/{agentId}/credentials</c>.</summary>
public sealed class CredentialsConfigTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_never_saved_shows_its_defaults()
    {
        var agent = await server.CreateAgentAsync();
        (await server.Client.GetAsync(PathOf(agent), Token).ShouldBe(200)).GetRawText().ShouldBe(
            """{"enabled":false,"resolver_url":null,"timeout_ms":5000,"on_failure":"platform","cache_seconds":0,"has_secret":false,"updated_at":null}""");
        await server.Client.GetAsync(PathOf(Guid.NewGuid()), Token).ShouldBeError(404, "NOT_FOUND");
        await server.Client.PutAsync(PathOf(Guid.NewGuid()), JsonText.Content("{}"), Token).ShouldBeError(404, "NOT_FOUND");
        using var demo = server.ClientFor("fj_demo_example_key");
        (await demo.GetAsync(PathOf(new("00000000-0000-0000-0000-0000000a6e47")), Token).ShouldBe(200)).GetProperty("timeout_ms").GetInt32().ShouldBe(5_000);
    }

    [Fact]
    public async Task A_change_keeps_what_it_does_not_name_and_null_restores_a_default()
    {
        var agent = await server.CreateAgentAsync();
        await PutAsync(agent, """{"enabled":true,"resolverUrl":"https://example.com/resolve","timeout_ms":100,"onFailure":"fail","cacheSeconds":60,"secret":"a secret of my own"}""").ShouldBe(200);
        var second = await PutAsync(agent, """{"timeoutMs":null,"on_failure":null}""").ShouldBe(200);
        second.GetRawText().ShouldStartWith("""{"enabled":true,"resolver_url":"https://example.com/resolve","timeout_ms":5000,"on_failure":"platform","cache_seconds":60,"has_secret":true,"updated_at":"2""");
        await using (var db = server.Database()) (await db.AgentConfigs.IgnoreQueryFilters().SingleAsync(c => c.AgentId == agent, Token)).Value.ShouldNotContain("a secret of my own");
        (await PutAsync(agent, """{"secret":null,"enabled":false,"resolverUrl":null}""").ShouldBe(200)).GetRawText().ShouldStartWith("""{"enabled":false,"resolver_url":null,"timeout_ms":5000,"on_failure":"platform","cache_seconds":60,"has_secret":false""");
    }

    [Theory]
    [InlineData("""{"enabled":true}""", 422, "resolverUrl")]
    [InlineData("""{"resolverUrl":"http://127.0.0.1/resolve"}""", 422, "resolverUrl")]
    [InlineData("""{"resolverUrl":"nowhere"}""", 422, "resolverUrl")]
    [InlineData("""{"timeoutMs":99}""", 422, "timeoutMs")]
    [InlineData("""{"timeoutMs":30001}""", 422, "timeoutMs")]
    [InlineData("""{"onFailure":"retry"}""", 422, "onFailure")]
    [InlineData("""{"cacheSeconds":3601}""", 422, "cacheSeconds")]
    [InlineData("""{"secret":"short"}""", 422, "secret")]
    [InlineData("""{"enabled":"yes"}""", 400, "enabled")]
    public async Task Wrong_values_change_nothing(string change, int status, string field)
    {
        var agent = await server.CreateAgentAsync();
        await PutAsync(agent, change).ShouldBeError(status, status == 422 ? "VALIDATION_ERROR" : "INVALID_REQUEST", field);
        (await server.Client.GetAsync(PathOf(agent), Token).ShouldBe(200)).GetProperty("updated_at").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
    }

    private static string PathOf(Guid agent) => $"/api/agents/{agent}/credentials";

    private Task<HttpResponseMessage> PutAsync(Guid agent, string change) => server.Client.PutAsync(PathOf(agent), JsonText.Content(change), Token);
}
