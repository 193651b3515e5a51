using Flapjack.Server.Knowledge.Search;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.Knowledge;

/// <summary>What is found, and in which order.</summary>
public sealed class SearchTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private HttpClient Client => world.Server.Client;

    [Fact]
    public async Task A_result_shows_where_it_comes_from()
    {
        var agent = await world.Server.CreateAgentAsync();
        var document = await Client.AddDocumentAsync("agent", agent, "# Deadlines\n\nReturns are possible for thirty days.");
        var answer = await Client.SearchAsync(new { query = "Which RETURNS?", agentId = agent }).ShouldBe(200);
        answer.Text("mode").ShouldBe("lexical");
        var result = answer.GetProperty("results").EnumerateArray().ShouldHaveSingleItem();
        result.EnumerateObject().Select(p => p.Name).ShouldBe(["document_id", "chunk_id", "title", "source_ref", "scope_type", "position", "heading", "page", "score", "text"], ignoreOrder: true);
        (result.Text("document_id"), result.Text("source_ref"), result.Text("scope_type")).ShouldBe((document.Text("id"), "policy.md", "agent"));
        result.GetProperty("score").GetDouble().ShouldBe(1);
    }

    [Fact]
    public async Task Rare_words_and_short_texts_weigh_more()
    {
        var agent = await world.Server.CreateAgentAsync();
        await Client.AddDocumentAsync("agent", agent, "the ship sails and the ship returns and the ship sails", "common");
        await Client.AddDocumentAsync("agent", agent, "the ship met an albatross", "rare");
        await Client.AddDocumentAsync("agent", agent, $"the albatross {string.Join(' ', Enumerable.Repeat("and many more words about other things", 20))}", "long");
        (await Client.FindAsync(new { query = "the ship albatross", agentId = agent }))[0].ShouldBe("rare");
        (await Client.FindAsync(new { query = "albatross", agentId = agent })).ShouldBe(["rare", "long"]);
        (await Client.FindAsync(new { query = "albatross", agentId = agent, limit = 1 })).ShouldBe(["rare"]);
        (await Client.FindAsync(new { query = "nothing of this", agentId = agent, minScore = 0.5 })).ShouldNotContain("rare");
        (await Client.FindAsync(new { query = "zeppelin", agentId = agent })).ShouldBeEmpty();
        (await Client.FindAsync(new { query = "?!", agentId = agent })).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Die Straßen von Größenwahn", "GRÖSSENWAHN", "größenwahn")]
    [InlineData("Le café déjà vu", "CAFE", "cafe")]
    [InlineData("東京都に住んでいます", "東京", "東京")]
    [InlineData("Привет МИР", "мир", "мир")]
    [InlineData("ﬁle №5", "file", "file")]
    public async Task Words_are_compared_without_case_accents_and_forms(string text, string query, string word)
    {
        WordFolding.WordsOf(query).ShouldContain(WordFolding.WordsOf(word)[0]);
        var agent = await world.Server.CreateAgentAsync();
        await Client.AddDocumentAsync("agent", agent, text, "found");
        (await Client.FindAsync(new { query, agentId = agent })).ShouldBe(["found"]);
    }

    [Fact]
    public async Task An_agent_sees_its_own_the_organisations_and_the_threads_documents_nearest_first()
    {
        await using var own = await TurnWorld.StartAsync();
        var client = own.Server.Client;
        var thread = await own.OpenAsync();
        var agent = (await own.ThreadAsync(thread)).GetProperty("agent_id").GetGuid();
        var other = await own.Server.CreateAgentAsync("Other");
        var org = await own.Server.OrgIdAsync();
        await client.AddDocumentAsync("org", org, "the same words", "of the organisation");
        await client.AddDocumentAsync("agent", agent, "the same words", "of the agent");
        await client.AddDocumentAsync("agent", other, "the same words", "of another agent");
        await client.AddDocumentAsync("thread", thread, "the same words", "of the thread");
        (await client.FindAsync(new { query = "same words", threadId = thread })).ShouldBe(["of the thread", "of the agent", "of the organisation"]);
        (await client.FindAsync(new { query = "same words", agentId = agent })).ShouldBe(["of the agent", "of the organisation"]);
        (await client.FindAsync(new { query = "same words", scopeType = "org", scopeId = org })).ShouldBe(["of the organisation"]);
        await client.PutAsync($"/api/agents/{agent}/knowledge", TurnWorld.Body(new { includeOrg = false }), Token).ShouldBe(200);
        (await client.FindAsync(new { query = "same words", agentId = agent })).ShouldBe(["of the agent"]);
    }

    [Theory]
    [InlineData("""{"agentId":"AGENT"}""", "query")]
    [InlineData("""{"query":"x"}""", "agentId")]
    [InlineData("""{"query":"x","agentId":"x"}""", "agentId")]
    [InlineData("""{"query":"x","agentId":"AGENT","scopeType":"agent","scopeId":"AGENT"}""", "scopeType")]
    [InlineData("""{"query":"x","scopeType":"agent"}""", "scopeId")]
    [InlineData("""{"query":"x","agentId":"AGENT","limit":0}""", "limit")]
    [InlineData("""{"query":"x","agentId":"AGENT","limit":51}""", "limit")]
    [InlineData("""{"query":"x","agentId":"AGENT","minScore":2}""", "minScore")]
    [InlineData("""{"query":"x","agentId":"AGENT","mode":"magic"}""", "mode")]
    [InlineData("""{"query":"x","agentId":"AGENT","mode":"hybrid"}""", "mode")]
    [InlineData("""{"query":"x","agentId":"AGENT","mode":"vector"}""", "mode")]
    public async Task Wrong_questions_are_refused(string body, string field)
    {
        var agent = await world.Server.CreateAgentAsync();
        await Client.SearchAsync(body.Replace("AGENT", agent.ToString(), StringComparison.Ordinal)).ShouldBeError(422, "VALIDATION_ERROR", field);
    }

    [Fact]
    public async Task Other_organisations_find_nothing_here()
    {
        var agent = await world.Server.CreateAgentAsync();
        var document = (await Client.AddDocumentAsync("agent", agent, "the secret of the sphinx")).Text("id");
        var org = await world.Server.AddOrgAsync("spies-" + Guid.NewGuid().ToString("N")[..8]);
        var spy = world.Server.ClientFor((await world.Server.AddKeyAsync(org)).Text);
        await spy.SearchAsync(new { query = "sphinx", agentId = agent }).ShouldBeError(404, "NOT_FOUND");
        (await spy.FindAsync(new { query = "sphinx", scopeType = "org", scopeId = org })).ShouldBeEmpty();
        foreach (var (method, path) in ((HttpMethod, string)[])[(HttpMethod.Get, ""), (HttpMethod.Get, "/chunks"), (HttpMethod.Get, "/content"), (HttpMethod.Delete, ""), (HttpMethod.Post, "/reindex"), (HttpMethod.Patch, "")])
        {
            (await spy.BodyAsync(method, $"/api/knowledge/{document}{path}", method == HttpMethod.Patch ? """{"title":"mine"}""" : null)).ShouldStartWith("404 ");
        }
        (await Client.DocumentAsync(document)).Text("title").ShouldBe("Policy");
    }
}
