using System.Text.Json;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Delegation;

/// <summary><c>/api/agents/{agentId}/delegated</c>.</summary>
public sealed class DelegatedConfigTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_never_saved_shows_its_defaults()
    {
        var agent = await server.CreateAgentAsync();
        (await GetAsync(agent)).GetRawText().ShouldBe(
            """{"enabled":false,"endpoint_url":null,"has_secret":false,"timeout_ms":30000,"tools":[],"agents":[],"max_depth":2,"share_context":false,"updated_at":null}""");
    }

    [Fact]
    public async Task A_change_keeps_what_it_does_not_name_and_null_restores_a_default()
    {
        var agent = await server.CreateAgentAsync();
        var other = await server.CreateAgentAsync("Bob", new { description = "Finds sources" });
        var third = await server.CreateAgentAsync("Cleo");
        await PutAsync(agent, $$$$$"""
            {"enabled":true,"endpointUrl":"https://93.184.216.34/tools","secret":"0123456789abcdef","timeout_ms":5000,"maxDepth":3,"share_context":true,
             "tools":[{"name":"open_ticket","description":"Opens a ticket","parameters":{"type":"object","properties":{"someTitle":{"type":"string"}}}},{"name":"ping"}],
             "agents":[{"agentId":"{{{{{other}}}}}"},{"agent_id":"{{{{{third}}}}}","name":"Researcher","description":"Looks things up"}]}
            """).ShouldBe(200);
        var second = await PutAsync(agent, """{"timeoutMs":null,"maxDepth":null}""").ShouldBe(200);
        second.GetRawText().ShouldStartWith($$$$$"""
            {"enabled":true,"endpoint_url":"https://93.184.216.34/tools","has_secret":true,"timeout_ms":30000,"tools":[{"name":"open_ticket","description":"Opens a ticket","parameters":{"type":"object","properties":{"someTitle":{"type":"string"}}}},{"name":"ping","description":"","parameters":{"type":"object","properties":{}}}],"agents":[{"agent_id":"{{{{{other}}}}}","name":"Bob","description":"Finds sources"},{"agent_id":"{{{{{third}}}}}","name":"Researcher","description":"Looks things up"}],"max_depth":2,"share_context":true,"updated_at":"
            """.Trim());
        (await GetAsync(agent)).GetRawText().ShouldBe(second.GetRawText());
        (await PutAsync(agent, """{"secret":null}""").ShouldBe(200)).GetProperty("has_secret").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task The_secret_is_stored_encrypted_and_never_shown()
    {
        var agent = await server.CreateAgentAsync();
        const string secret = "a-secret-nobody-reads";
        (await PutAsync(agent, $$"""{"secret":"{{secret}}"}""").ShouldBe(200)).GetRawText().ShouldNotContain(secret);
        await using var db = server.Services.GetRequiredService<Databases>().OpenForServer();
        var value = await db.AgentConfigs.IgnoreQueryFilters().Where(c => c.AgentId == agent && c.Name == "delegated").Select(c => c.Value).SingleAsync(Token);
        value.ShouldNotContain(secret);
        value.ShouldContain("v1.");
        server.Log.Lines.ShouldNotContain(line => line.Contains(secret, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"timeoutMs":999}""", 422, "timeoutMs")]
    [InlineData("""{"timeoutMs":120001}""", 422, "timeoutMs")]
    [InlineData("""{"maxDepth":0}""", 422, "maxDepth")]
    [InlineData("""{"maxDepth":6}""", 422, "maxDepth")]
    [InlineData("""{"secret":"short"}""", 422, "secret")]
    [InlineData("""{"endpointUrl":"ftp://example.com"}""", 422, "endpointUrl")]
    [InlineData("""{"endpointUrl":"http://127.0.0.1/x"}""", 422, "endpointUrl")]
    [InlineData("""{"endpointUrl":"http://169.254.169.254/latest"}""", 422, "endpointUrl")]
    [InlineData("""{"endpointUrl":"https://me:pw@93.184.216.34/"}""", 422, "endpointUrl")]
    [InlineData("""{"tools":[{"name":"a b"}]}""", 422, "tools[0].name")]
    [InlineData("""{"tools":[{"name":"a__b"}]}""", 422, "tools[0].name")]
    [InlineData("""{"tools":[{"name":"a"},{"name":"a"}]}""", 422, "tools[1].name")]
    [InlineData("""{"tools":[{}]}""", 422, "tools[0].name")]
    [InlineData("""{"tools":[{"name":"a","parameters":{"type":"string"}}]}""", 422, "tools[0].parameters.type")]
    [InlineData("""{"tools":[{"name":"a","parameters":{"type":["object"]}}]}""", 422, "tools[0].parameters.type")]
    [InlineData("""{"tools":[{"name":"a","parameters":{"properties":{}}}]}""", 422, "tools[0].parameters.type")]
    [InlineData("""{"tools":[{"name":"a","parameters":{"type":"object","properties":{"x":{"type":"no-such-type"}}}}]}""", 422, "tools[0].parameters.properties.x.type")]
    [InlineData("""{"tools":[{"name":"a","parameters":[]}]}""", 400, "tools[0].parameters")]
    [InlineData("""{"tools":[null]}""", 400, "tools[0]")]
    [InlineData("""{"agents":[null]}""", 400, "agents[0]")]
    [InlineData("""{"agents":[{"agentId":"x"}]}""", 422, "agents[0].agentId")]
    [InlineData("""{"agents":[{}]}""", 422, "agents[0].agentId")]
    [InlineData("""{"agents":"x"}""", 400, "agents")]
    [InlineData("""{"enabled":"yes"}""", 400, "enabled")]
    public async Task Wrong_values_change_nothing(string change, int status, string field)
    {
        var agent = await server.CreateAgentAsync();
        await PutAsync(agent, change).ShouldBeError(status, status == 422 ? "VALIDATION_ERROR" : "INVALID_REQUEST", field);
        (await GetAsync(agent)).GetProperty("updated_at").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Lists_have_their_limits_and_agents_must_exist_once_and_be_others()
    {
        var agent = await server.CreateAgentAsync();
        var other = await server.CreateAgentAsync("Bob");
        var tools = string.Join(',', Enumerable.Range(0, 65).Select(i => $$"""{"name":"t{{i}}"}"""));
        await PutAsync(agent, $$"""{"tools":[{{tools}}]}""").ShouldBeError(422, "VALIDATION_ERROR", "tools");
        await PutAsync(agent, $$"""{"agents":[{"agentId":"{{agent}}"}]}""").ShouldBeError(422, "VALIDATION_ERROR", "agents[0].agentId");
        await PutAsync(agent, $$"""{"agents":[{"agentId":"{{other}}"},{"agentId":"{{other}}"}]}""").ShouldBeError(422, "VALIDATION_ERROR", "agents[1].agentId");
        (await PutAsync(agent, $$"""{"agents":[{"agentId":"{{Guid.CreateVersion7()}}"}]}""").ShouldBeError(404, "NOT_FOUND")).GetProperty("detail").GetString().ShouldBe("Agent not found");
        await PutAsync(agent, $$"""{"agents":[{"agentId":"{{other}}"}]}""").ShouldBe(200);
        await server.Client.DeleteAsync($"/api/agents/{other}", Token).ShouldBe(200);
        (await GetAsync(agent)).GetProperty("agents").GetArrayLength().ShouldBe(0);
    }

    private Task<JsonElement> GetAsync(Guid agent) => server.Client.GetAsync(PathOf(agent), Token).ShouldBe(200);

    private Task<HttpResponseMessage> PutAsync(Guid agent, string body) => server.Client.PutAsync(PathOf(agent), JsonText.Content(body), Token);

    private static string PathOf(Guid agent) => $"/api/agents/{agent}/delegated";
}
