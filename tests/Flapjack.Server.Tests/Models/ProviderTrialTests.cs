using System.Text.Json;

namespace Flapjack.Server.Tests.Models;

public sealed class ProviderTrialTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_provider_that_answers_is_ok_and_gets_key_and_headers()
    {
        await using var fake = await FakeModelServer.StartAsync();
        await using var server = await ServerFixture.StartAsync(s => s["Network:AllowedHosts:0"] = "loopback");
        await PutAsync(server, "vllm", $$"""{"baseUrl":"{{fake.Address}}v1","apiKey":"sk-org","headers":{"X-Extra":"yes"},"models":[{"id":"m"}]}""");
        var answer = await TestAsync(server, "vllm", "{}");
        answer.GetProperty("ok").GetBoolean().ShouldBeTrue(answer.GetRawText());
        answer.GetProperty("latency_ms").GetInt64().ShouldBeGreaterThanOrEqualTo(0);
        fake.Calls.ShouldHaveSingleItem().ShouldBe(("/v1/chat/completions", "Bearer sk-org", "yes"));
    }

    [Theory]
    [InlineData(401, "AUTH_FAILED")]
    [InlineData(429, "RATE_LIMITED")]
    [InlineData(503, "UNAVAILABLE")]
    [InlineData(400, "ERROR")]
    public async Task A_provider_that_refuses_is_named_without_the_key(int status, string code)
    {
        await using var fake = await FakeModelServer.StartAsync();
        fake.Status = status;
        await using var server = await ServerFixture.StartAsync(s => s["Network:AllowedHosts:0"] = "loopback");
        await PutAsync(server, "vllm", $$"""{"baseUrl":"{{fake.Address}}v1","apiKey":"sk-very-secret"}""");
        var answer = await TestAsync(server, "vllm", """{"model":"vllm/m"}""");
        answer.GetProperty("ok").GetBoolean().ShouldBeFalse();
        answer.GetProperty("error").GetString().ShouldBe(code);
        answer.GetProperty("detail").GetString().ShouldNotBeNullOrEmpty();
        answer.GetRawText().ShouldNotContain("sk-very-secret");
        fake.Calls.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_operator_s_address_is_trusted_and_gets_the_organisation_s_key()
    {
        await using var fake = await FakeModelServer.StartAsync();
        await using var server = await ServerFixture.StartAsync(s =>
        {
            s["OPENAI_BASE_URL"] = fake.Address + "v1";
            s["OPENAI_API_KEY"] = "sk-server";
        });
        (await TestAsync(server, "openai", "{}")).GetProperty("ok").GetBoolean().ShouldBeTrue();
        await PutAsync(server, "openai", """{"apiKey":"sk-org"}""");
        (await TestAsync(server, "openai", """{"model":"gpt-5.4"}""")).GetProperty("ok").GetBoolean().ShouldBeTrue();
        fake.Calls.Select(c => (c.Path, c.Authorization)).ShouldBe([("/v1/responses", "Bearer sk-server"), ("/v1/responses", "Bearer sk-org")]);
    }

    [Fact]
    public async Task The_operator_s_key_never_goes_to_an_address_the_organisation_chose()
    {
        await using var fake = await FakeModelServer.StartAsync();
        await using var server = await ServerFixture.StartAsync(s =>
        {
            s["OPENAI_API_KEY"] = "sk-server";
            s["Network:AllowedHosts:0"] = "loopback";
        });
        await PutAsync(server, "openai", $$"""{"baseUrl":"{{fake.Address}}v1"}""");
        (await TestAsync(server, "openai", "{}")).GetProperty("error").GetString().ShouldBe("AUTH_FAILED");
        fake.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_address_that_was_closed_after_it_was_saved_is_not_called()
    {
        await using var fake = await FakeModelServer.StartAsync();
        await using var server = await ServerFixture.StartAsync(s => s["Network:AllowedHosts:0"] = "loopback");
        await PutAsync(server, "vllm", $$"""{"baseUrl":"{{fake.Address}}v1","models":[{"id":"m"}]}""");
        await server.RestartAsync(s => s.Remove("Network:AllowedHosts:0"));
        (await TestAsync(server, "vllm", "{}")).GetProperty("error").GetString().ShouldBe("ADDRESS_REFUSED");
        fake.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_cannot_be_tested_says_so()
    {
        await using var server = await ServerFixture.StartAsync();
        await server.Client.PostAsync("/api/providers/nobody/test", JsonText.Content("{}"), Token).ShouldBeError(404, "NOT_FOUND");
        await PutAsync(server, "brave", """{"apiKey":"k"}""");
        (await TestAsync(server, "brave", "{}")).GetProperty("error").GetString().ShouldBe("NOT_SUPPORTED");
        await PutAsync(server, "vllm", """{"baseUrl":"https://8.8.8.8/v1"}""");
        await server.Client.PostAsync("/api/providers/vllm/test", JsonText.Content("{}"), Token).ShouldBeError(422, "VALIDATION_ERROR", "model");
    }

    private static async Task PutAsync(ServerFixture server, string provider, string body) =>
        await server.Client.PutAsync($"/api/providers/{provider}", JsonText.Content(body), Token).ShouldBe(200);

    private static Task<JsonElement> TestAsync(ServerFixture server, string provider, string body) =>
        server.Client.PostAsync($"/api/providers/{provider}/test", JsonText.Content(body), Token).ShouldBe(200);
}
