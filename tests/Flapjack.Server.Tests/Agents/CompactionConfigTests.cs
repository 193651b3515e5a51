using System.Text.Json;

namespace Flapjack.Server.Tests.Agents;

/// <summary><c>/api/agents/{agentId}/compaction</c>.</summary>
public sealed class CompactionConfigTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Defaults_and_changes_come_in_both_casings()
    {
        var agent = await server.CreateAgentAsync();
        (await server.Client.GetAsync(PathOf(agent), Token).ShouldBe(200)).GetRawText().ShouldBe(
            """{"enabled":false,"anthropic_trigger_tokens":150000,"anthropic_instructions":null,"anthropic_pause_after":false,"openai_compact_threshold":100000,"updated_at":null,"anthropicTriggerTokens":150000,"anthropicInstructions":null,"anthropicPauseAfter":false,"openaiCompactThreshold":100000}""");
        await PutAsync(agent, """{"enabled":true,"anthropicTriggerTokens":50000,"anthropic_instructions":"Keep names.","anthropicPauseAfter":true,"openai_compact_threshold":1000}""").ShouldBe(200);
        var saved = await PutAsync(agent, """{"anthropicTriggerTokens":null}""").ShouldBe(200);
        saved.GetRawText().ShouldStartWith("""{"enabled":true,"anthropic_trigger_tokens":150000,"anthropic_instructions":"Keep names.","anthropic_pause_after":true,"openai_compact_threshold":1000,"updated_at":"2""");
        saved.GetRawText().ShouldEndWith(""","anthropicTriggerTokens":150000,"anthropicInstructions":"Keep names.","anthropicPauseAfter":true,"openaiCompactThreshold":1000}""");
        (await server.Client.GetAsync(PathOf(agent), Token).ShouldBe(200)).GetRawText().ShouldBe(saved.GetRawText());
    }

    [Theory]
    [InlineData("""{"anthropicTriggerTokens":49999}""", 422, "anthropicTriggerTokens")]
    [InlineData("""{"openaiCompactThreshold":999}""", 422, "openaiCompactThreshold")]
    [InlineData("""{"enabled":1}""", 400, "enabled")]
    [InlineData("""{"anthropicPauseAfter":"no"}""", 400, "anthropicPauseAfter")]
    [InlineData("""{"anthropicInstructions":5}""", 400, "anthropicInstructions")]
    public async Task Wrong_values_change_nothing(string change, int status, string field)
    {
        var agent = await server.CreateAgentAsync();
        await PutAsync(agent, change).ShouldBeError(status, status == 422 ? "VALIDATION_ERROR" : "INVALID_REQUEST", field);
        (await server.Client.GetAsync(PathOf(agent), Token).ShouldBe(200)).GetProperty("updated_at").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Instructions_have_a_limit() =>
        await PutAsync(await server.CreateAgentAsync(), JsonSerializer.Serialize(new { anthropicInstructions = new string('x', 20_001) })).ShouldBeError(422, "VALIDATION_ERROR", "anthropicInstructions");

    private Task<HttpResponseMessage> PutAsync(Guid agent, string body) => server.Client.PutAsync(PathOf(agent), JsonText.Content(body), Token);

    private static string PathOf(Guid agent) => $"/api/agents/{agent}/compaction";
}
