using System.Text.Json;
using Flapjack.Server.Agents.Suggestions;
using Flapjack.Server.Platform;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Knowledge;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tests.Agents.Suggestions;

/// <summary>Suggestions that people store, list and dismiss.</summary>
public sealed class SuggestionTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_suggestion_with_a_title_is_stored_as_it_was_sent()
    {
        var agent = await server.CreateAgentAsync();
        var created = await server.Client.SuggestAsync(agent, """{"title":"web_read often times out","detail":"Pages are long","category":"tools","severity":"high","patch":{"web":{"maxReadChars":10000},"agent":{"Odd_Case":null}}}""").ShouldBe(201);
        created.GetArrayLength().ShouldBe(1);
        var suggestion = created[0];
        suggestion.EnumerateObject().Select(p => p.Name).ShouldBe(["id", "agent_id", "category", "severity", "title", "detail", "patch", "dismissed", "dismissed_at", "source", "created_at"]);
        (suggestion.Text("agent_id"), suggestion.Text("category"), suggestion.Text("severity"), suggestion.Text("title"), suggestion.Text("detail")).ShouldBe((agent.ToString(), "tools", "high", "web_read often times out", "Pages are long"));
        (suggestion.GetProperty("dismissed").GetBoolean(), suggestion.GetProperty("dismissed_at").ValueKind, suggestion.Text("source")).ShouldBe((false, JsonValueKind.Null, "api"));
        suggestion.GetProperty("patch").GetRawText().ShouldBe("""{"web":{"maxReadChars":10000},"agent":{"Odd_Case":null}}""");
        server.Time.Advance(TimeSpan.FromSeconds(1));
        var plain = (await server.Client.SuggestAsync(agent, """{"title":"Shorter prompt","detail":null,"patch":null}""").ShouldBe(201))[0];
        (plain.Text("category"), plain.Text("severity"), plain.GetProperty("detail").ValueKind, plain.GetProperty("patch").ValueKind).ShouldBe(("prompt", "medium", JsonValueKind.Null, JsonValueKind.Null));
        (await server.Client.SuggestionsAsync(agent)).Select(s => s.GetRawText()).ShouldBe([plain.GetRawText(), suggestion.GetRawText()]);
    }

    [Fact]
    public async Task A_dismissed_suggestion_is_listed_only_when_asked_for_and_may_come_back()
    {
        var agent = await server.CreateAgentAsync();
        var id = (await server.Client.SuggestAsync(agent, new { title = "One" }).ShouldBe(201))[0].Text("id");
        server.Time.Advance(TimeSpan.FromSeconds(1));
        await server.Client.SuggestAsync(agent, new { title = "Two" }).ShouldBe(201);
        var dismissed = await server.Client.DismissAsync(agent, new { suggestionId = id }).ShouldBe(200);
        (dismissed.Text("id"), dismissed.GetProperty("dismissed").GetBoolean(), dismissed.GetProperty("dismissed_at").ValueKind).ShouldBe((id, true, JsonValueKind.String));
        (await server.Client.DismissAsync(agent, new { suggestion_id = id, dismissed = true }).ShouldBe(200)).GetRawText().ShouldBe(dismissed.GetRawText());
        (await server.Client.SuggestionsAsync(agent)).Select(s => s.Text("title")).ShouldBe(["Two"]);
        (await server.Client.SuggestionsAsync(agent, "?includeDismissed=true")).Select(s => s.Text("title")).ShouldBe(["Two", "One"]);
        (await server.Client.SuggestionsAsync(agent, "?include_dismissed=1&limit=1")).Select(s => s.Text("title")).ShouldBe(["Two"]);
        var back = await server.Client.DismissAsync(agent, new { suggestionId = id, dismissed = false }).ShouldBe(200);
        (back.GetProperty("dismissed").GetBoolean(), back.GetProperty("dismissed_at").ValueKind).ShouldBe((false, JsonValueKind.Null));
        (await server.Client.SuggestionsAsync(agent)).Count.ShouldBe(2);
        await server.Client.GetAsync($"/api/agents/{agent}/suggestions?includeDismissed=maybe", Token).ShouldBeError(400, "INVALID_REQUEST");
    }

    [Fact]
    public async Task Who_is_dismissed_is_named_and_there()
    {
        var (agent, other) = (await server.CreateAgentAsync(), await server.CreateAgentAsync());
        var id = (await server.Client.SuggestAsync(agent, new { title = "One" }).ShouldBe(201))[0].Text("id");
        await server.Client.DismissAsync(agent, new { }).ShouldBeError(422, "VALIDATION_ERROR", "suggestionId");
        await server.Client.DismissAsync(agent, new { suggestionId = "one" }).ShouldBeError(422, "VALIDATION_ERROR", "suggestionId");
        await server.Client.DismissAsync(agent, new { suggestionId = Guid.CreateVersion7() }).ShouldBeError(404, "NOT_FOUND");
        await server.Client.DismissAsync(other, new { suggestionId = id }).ShouldBeError(404, "NOT_FOUND");
        await server.Client.DismissAsync(agent, new { suggestionId = id, dismissed = "yes" }).ShouldBeError(400, "INVALID_REQUEST", "dismissed");
        using var foreign = server.ClientFor((await server.AddKeyAsync(await server.AddOrgAsync("suggestion-foreign"))).Text);
        await foreign.DismissAsync(agent, new { suggestionId = id }).ShouldBeError(404, "NOT_FOUND");
        await foreign.GetAsync($"/api/agents/{agent}/suggestions", Token).ShouldBeError(404, "NOT_FOUND");
        await foreign.SuggestAsync(agent, new { title = "Theirs" }).ShouldBeError(404, "NOT_FOUND");
    }

    [Theory]
    [InlineData("""{"title":" "}""", "title")]
    [InlineData("""{"title":"T","category":"style"}""", "category")]
    [InlineData("""{"title":"T","severity":"critical"}""", "severity")]
    [InlineData("""{"title":"T","patch":{"wardrobe":{}}}""", "patch")]
    [InlineData("""{"title":"T","patch":{"web":true}}""", "patch.web")]
    [InlineData("""{"maxCount":0}""", "maxCount")]
    [InlineData("""{"maxCount":11}""", "maxCount")]
    public async Task What_is_not_acceptable_is_named(string body, string field) =>
        await server.Client.SuggestAsync(await server.CreateAgentAsync(), body).ShouldBeError(422, "VALIDATION_ERROR", field);

    [Fact]
    public async Task Texts_and_patches_have_limits()
    {
        var agent = await server.CreateAgentAsync();
        await server.Client.SuggestAsync(agent, new { title = new string('x', 301) }).ShouldBeError(422, "VALIDATION_ERROR", "title");
        await server.Client.SuggestAsync(agent, new { title = "T", detail = new string('x', 5_001) }).ShouldBeError(422, "VALIDATION_ERROR", "detail");
        await server.Client.SuggestAsync(agent, new { focus = new string('x', 1_001) }).ShouldBeError(422, "VALIDATION_ERROR", "focus");
        await server.Client.SuggestAsync(agent, new { title = "T", patch = new { agent = new { name = new string('x', 16 * 1024) } } }).ShouldBeError(422, "VALIDATION_ERROR", "patch");
        await server.Client.SuggestAsync(agent, """{"title":"T","patch":[]}""").ShouldBeError(400, "INVALID_REQUEST", "patch");
        await server.Client.SuggestAsync(agent, """{"title":7}""").ShouldBeError(400, "INVALID_REQUEST", "title");
        await server.Client.SuggestAsync(agent, Nested(40)).ShouldBeError(422, "VALIDATION_ERROR", "patch");
        await server.Client.SuggestAsync(agent, Nested(25)).ShouldBe(201);
        (await server.Client.SuggestionsAsync(agent)).Count.ShouldBe(1);

        static string Nested(int depth) => """{"title":"T","patch":{"web":{"a":""" + new string('[', depth) + new string(']', depth) + "}}}";
    }

    [Fact]
    public async Task Dismissed_ones_make_room_and_open_ones_do_not()
    {
        var agent = await server.CreateAgentAsync();
        await FillAsync(agent, dismissed: 1);
        await server.Client.SuggestAsync(agent, new { title = "Last that fits" }).ShouldBe(201);
        await server.Client.SuggestAsync(agent, new { title = "One too many" }).ShouldBeError(409, "CONFLICT");
        var all = await server.Client.SuggestionsAsync(agent, "?includeDismissed=true");
        (all.Count, all[0].Text("title"), all.Any(s => s.GetProperty("dismissed").GetBoolean())).ShouldBe((SuggestionStore.MostKept, "Last that fits", false));
    }

    [Fact]
    public async Task Suggestions_go_with_their_agent()
    {
        var agent = await server.CreateAgentAsync();
        await server.Client.SuggestAsync(agent, new { title = "One" }).ShouldBe(201);
        await server.Client.DeleteAsync($"/api/agents/{agent}", Token).ShouldBe(200);
        await server.Client.GetAsync($"/api/agents/{agent}/suggestions", Token).ShouldBeError(404, "NOT_FOUND");
        await server.Client.SuggestAsync(agent, new { title = "Late" }).ShouldBeError(404, "NOT_FOUND");
        await using var db = server.Database();
        (await db.Suggestions.IgnoreQueryFilters().CountAsync(s => s.AgentId == agent, Token)).ShouldBe(0);
    }

    [Fact]
    public async Task An_offline_agent_cannot_be_reviewed()
    {
        var agent = await server.CreateAgentAsync("Offline", new { defaultModel = "flapjack-offline" });
        var refused = await server.Client.SuggestAsync(agent, new { }).ShouldBeError(409, "CONFLICT");
        refused.Text("detail").ShouldContain("flapjack-offline");
        (await server.Client.SuggestionsAsync(agent)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_demo_key_sees_an_empty_list()
    {
        using var demo = server.ClientFor("fj_demo_example_key");
        (await demo.GetAsync("/api/agents/00000000-0000-0000-0000-0000000a6e47/suggestions", Token).ShouldBe(200)).GetArrayLength().ShouldBe(0);
        await demo.SuggestAsync(Guid.Parse("00000000-0000-0000-0000-0000000a6e47"), new { title = "T" }).ShouldBeError(403, "DEMO_KEY_READ_ONLY");
    }

    private async Task FillAsync(Guid agent, int dismissed)
    {
        var (org, now) = (await server.OrgIdAsync(), server.Time.Now());
        await using var db = server.Database();
        db.Suggestions.AddRange(Enumerable.Range(0, SuggestionStore.MostKept).Select(i => new Suggestion
        {
            Id = Ids.New(), OrgId = org, AgentId = agent, Category = "prompt", Severity = "low", Title = $"Nr. {i}", Source = "api", Dismissed = i < dismissed, CreatedAt = now.AddMinutes(-1),
        }));
        await db.SaveChangesAsync(Token);
    }
}

/// <summary>The calls that tests of suggestions repeat.</summary>
internal static class SuggestionCalls
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static Task<HttpResponseMessage> SuggestAsync(this HttpClient client, Guid agent, object body) => client.PostAsync($"/api/agents/{agent}/suggestions", Json(body), Token);

    public static Task<HttpResponseMessage> DismissAsync(this HttpClient client, Guid agent, object body) => client.PutAsync($"/api/agents/{agent}/suggestions", Json(body), Token);

    public static async Task<List<JsonElement>> SuggestionsAsync(this HttpClient client, Guid agent, string query = "") => [.. (await client.GetAsync($"/api/agents/{agent}/suggestions{query}", Token).ShouldBe(200)).EnumerateArray()];

    private static StringContent Json(object body) => JsonText.Content(body as string ?? JsonSerializer.Serialize(body));
}
