using Flapjack.Server.Tests.Accounts;

namespace Flapjack.Server.Tests.Agents;

/// <summary><c>/api/agents/{agentId}/multiplayer</c>, and with it the rules of every config sub-resource.</summary>
public sealed class MultiplayerConfigTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_never_saved_shows_its_defaults()
    {
        var agent = await server.CreateAgentAsync("Support Agent");
        (await server.Client.GetAsync(PathOf(agent), Token).ShouldBe(200)).GetRawText().ShouldBe(
            """{"enabled":false,"respond_mode":"mention","mention_names":[],"additional_agents":[],"include_sender_names":true,"max_participants":50,"handle":"support-agent","updated_at":null}""");
    }

    [Fact]
    public async Task A_change_keeps_what_it_does_not_name_and_null_restores_a_default()
    {
        var agent = await server.CreateAgentAsync("Ada");
        var other = await server.CreateAgentAsync("Bob");
        var first = await PutAsync(agent, $$"""{"enabled":true,"respondMode":"always","mention_names":["helper","helper","a_b-c"],"additionalAgents":["{{other}}"],"maxParticipants":3,"handle":"mine","unknown":1}""").ShouldBe(200);
        var second = await PutAsync(agent, """{"include_sender_names":false,"respondMode":null,"max_participants":null}""").ShouldBe(200);
        second.GetProperty("updated_at").GetDateTime().ShouldBeGreaterThanOrEqualTo(first.GetProperty("updated_at").GetDateTime());
        var read = await server.Client.GetAsync(PathOf(agent), Token).ShouldBe(200);
        read.GetRawText().ShouldBe(second.GetRawText());
        read.GetRawText().ShouldStartWith($$"""{"enabled":true,"respond_mode":"mention","mention_names":["helper","a_b-c"],"additional_agents":["{{other}}"],"include_sender_names":false,"max_participants":50,"handle":"ada",""");
        (await PutAsync(agent, "{}").ShouldBe(200)).GetProperty("enabled").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Changes_of_different_fields_at_once_are_all_kept()
    {
        var agent = await server.CreateAgentAsync();
        string[] changes = ["""{"enabled":true}""", """{"respondMode":"always"}""", """{"mentionNames":["one"]}""", """{"includeSenderNames":false}""", """{"maxParticipants":7}"""];
        await Task.WhenAll(changes.Select(change => PutAsync(agent, change).ShouldBe(200)));
        (await server.Client.GetAsync(PathOf(agent), Token).ShouldBe(200)).GetRawText().ShouldStartWith(
            """{"enabled":true,"respond_mode":"always","mention_names":["one"],"additional_agents":[],"include_sender_names":false,"max_participants":7""");
    }

    [Theory]
    [InlineData("""{"respondMode":"never"}""", 422, "respondMode")]
    [InlineData("""{"maxParticipants":1}""", 422, "maxParticipants")]
    [InlineData("""{"max_participants":501}""", 422, "maxParticipants")]
    [InlineData("""{"mentionNames":["ok","Not"]}""", 422, "mentionNames[1]")]
    [InlineData("""{"mentionNames":["a"]}""", 422, "mentionNames[0]")]
    [InlineData("""{"mentionNames":["aa","ab","ac","ad","ae","af","ag","ah","ai","aj","ak"]}""", 422, "mentionNames")]
    [InlineData("""{"additionalAgents":["x"]}""", 422, "additionalAgents[0]")]
    [InlineData("""{"additionalAgents":[null]}""", 400, "additionalAgents[0]")]
    [InlineData("""{"additionalAgents":"x"}""", 400, "additionalAgents")]
    [InlineData("""{"enabled":"yes"}""", 400, "enabled")]
    [InlineData("""{"maxParticipants":2.5}""", 400, "maxParticipants")]
    public async Task Wrong_values_change_nothing(string change, int status, string field)
    {
        var agent = await server.CreateAgentAsync();
        await PutAsync(agent, change).ShouldBeError(status, status == 422 ? "VALIDATION_ERROR" : "INVALID_REQUEST", field);
        (await server.Client.GetAsync(PathOf(agent), Token).ShouldBe(200)).GetProperty("updated_at").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
    }

    [Fact]
    public async Task Only_other_living_agents_of_the_organisation_can_be_added()
    {
        var (agent, gone) = (await server.CreateAgentAsync(), await server.CreateAgentAsync());
        await PutAsync(agent, $$"""{"additionalAgents":["{{agent}}"]}""").ShouldBeError(422, "VALIDATION_ERROR", "additionalAgents");
        await PutAsync(agent, $$"""{"additionalAgents":["{{gone}}"]}""").ShouldBe(200);
        await server.Client.DeleteAsync($"/api/agents/{gone}", Token).ShouldBe(200);
        (await server.Client.GetAsync(PathOf(agent), Token).ShouldBe(200)).GetProperty("additional_agents").GetArrayLength().ShouldBe(0);
        foreach (var unknown in (Guid[])[gone, Guid.NewGuid(), await ForeignAgentAsync()])
        {
            (await PutAsync(agent, $$"""{"additionalAgents":["{{unknown}}"]}""").ShouldBeError(404, "NOT_FOUND")).Text("detail").ShouldBe("Agent not found");
        }
    }

    [Fact]
    public async Task The_config_is_there_for_those_who_may_see_the_agent()
    {
        var agent = await server.CreateAgentAsync();
        var foreign = await ForeignAgentAsync();
        foreach (var unknown in (Guid[])[foreign, Guid.NewGuid()])
        {
            await server.Client.GetAsync(PathOf(unknown), Token).ShouldBeError(404, "NOT_FOUND");
            await PutAsync(unknown, """{"enabled":true}""").ShouldBeError(404, "NOT_FOUND");
        }
        await server.Client.GetAsync("/api/agents/x/multiplayer", Token).ShouldBeError(404, "NOT_FOUND");
        var mail = $"{Guid.NewGuid():N}@example.com";
        await server.AddUserAsync(mail, (await server.FirstOrgAsync(), "viewer"));
        using var viewer = await server.ClientOfAsync(mail);
        await viewer.GetAsync(PathOf(agent), Token).ShouldBe(200);
        await viewer.PutAsync(PathOf(agent), JsonText.Content("{}"), Token).ShouldBeError(403, "FORBIDDEN");
        using var reader = server.ClientFor((await server.AddKeyAsync(await server.FirstOrgAsync(), "agents:read")).Text);
        await reader.GetAsync(PathOf(agent), Token).ShouldBe(200);
        await reader.PutAsync(PathOf(agent), JsonText.Content("{}"), Token).ShouldBeError(403, "FORBIDDEN");
        await server.Client.DeleteAsync($"/api/agents/{agent}", Token).ShouldBe(200);
        await server.Client.GetAsync(PathOf(agent), Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task The_demo_key_reads_the_defaults()
    {
        using var demo = server.ClientFor("fj_demo_example_key");
        var config = await demo.GetAsync(PathOf(new("00000000-0000-0000-0000-0000000a6e47")), Token).ShouldBe(200);
        (config.Text("respond_mode"), config.Text("handle")).ShouldBe(("mention", "demo-agent"));
        await demo.GetAsync(PathOf(Guid.NewGuid()), Token).ShouldBeError(404, "NOT_FOUND");
        await demo.PutAsync(PathOf(new("00000000-0000-0000-0000-0000000a6e47")), JsonText.Content("{}"), Token).ShouldBeError(403, "DEMO_KEY_READ_ONLY");
    }

    private static string PathOf(Guid agent) => $"/api/agents/{agent}/multiplayer";

    private Task<HttpResponseMessage> PutAsync(Guid agent, string change) => server.Client.PutAsync(PathOf(agent), JsonText.Content(change), Token);

    private async Task<Guid> ForeignAgentAsync()
    {
        using var other = server.ClientFor((await server.AddKeyAsync(await server.AddOrgAsync($"o-{Guid.NewGuid():N}"))).Text);
        return (await other.PostAsync("/api/agents", JsonText.Content("""{"name":"Foreign"}"""), Token).ShouldBe(201)).GetProperty("id").GetGuid();
    }
}
