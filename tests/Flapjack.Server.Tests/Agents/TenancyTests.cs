using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.Agents;

/// <summary>Another organisation's ids answer exactly as ids that do not exist, and nothing of theirs changes.</summary>
public sealed class TenancyTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_foreign_id_answers_like_an_unknown_one_on_every_route()
    {
        var server = world.Server;
        var agent = await server.CreateAgentAsync("Theirs", new { defaultModel = "flapjack-offline", toolProfiles = new { full = new { tools = new[] { "*" } } } });
        var thread = await server.CreateThreadAsync(agent, new { kind = "multiplayer", title = "private" });
        var events = await server.AskAsync(thread, "/echo private");
        var answer = events[^1].Data.Text("messageId");
        var last = events[1].Id!;
        var plan = await world.PostAsync("/api/plans", new { threadId = thread, title = "private", todos = new[] { new { content = "private" } } }).ShouldBe(201);
        var memory = await world.PostAsync($"/api/agents/{agent}/memories", new { content = "private" }).ShouldBe(201);
        string[] theirs = [agent.ToString(), thread.ToString(), answer, memory.Text("id"), plan.Text("id"), plan.GetProperty("todos")[0].Text("id")];
        var org = await server.AddOrgAsync("strangers-" + Guid.NewGuid().ToString("N")[..8]);
        var key = server.ClientFor((await server.AddKeyAsync(org)).Text);
        var mail = $"{Guid.NewGuid():N}@example.com";
        await server.AddUserAsync(mail, (org, "owner"));
        var user = await server.ClientOfAsync(mail);
        var mine = (await world.PostAsync("/api/agents", new { name = "Mine", defaultModel = "flapjack-offline" }, key).ShouldBe(201)).Text("id");
        string[] unknown = [.. theirs.Select(_ => Guid.CreateVersion7().ToString())];

        (HttpMethod Method, string Path, string? Body)[] routes =
        [
            (HttpMethod.Get, "/api/agents/AGENT", null),
            (HttpMethod.Patch, "/api/agents/AGENT", """{"name":"taken"}"""),
            (HttpMethod.Delete, "/api/agents/AGENT", null),
            (HttpMethod.Get, "/api/agents/AGENT/delegated", null),
            (HttpMethod.Put, "/api/agents/AGENT/delegated", """{"enabled":true}"""),
            (HttpMethod.Get, "/api/agents/AGENT/compaction", null),
            (HttpMethod.Put, "/api/agents/AGENT/compaction", """{"enabled":true}"""),
            (HttpMethod.Get, "/api/agents/AGENT/publish", null),
            (HttpMethod.Post, "/api/agents/AGENT/publish", """{"slug":"taken-over"}"""),
            (HttpMethod.Delete, "/api/agents/AGENT/publish", null),
            (HttpMethod.Post, "/mcp/agents/AGENT", """{"jsonrpc":"2.0","id":1,"method":"initialize"}"""),
            (HttpMethod.Post, "/a2a/agents/AGENT", """{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{}}"""),
            (HttpMethod.Get, "/a2a/agents/AGENT/.well-known/agent-card.json", null),
            (HttpMethod.Get, "/api/agents/AGENT/knowledge", null),
            (HttpMethod.Put, "/api/agents/AGENT/knowledge", """{"topK":1}"""),
            (HttpMethod.Get, "/api/knowledge?scopeType=agent&scopeId=AGENT", null),
            (HttpMethod.Get, "/api/knowledge?scopeType=thread&scopeId=THREAD", null),
            (HttpMethod.Post, "/api/knowledge/text", """{"text":"x","title":"x","scopeType":"agent","scopeId":"AGENT"}"""),
            (HttpMethod.Post, "/api/knowledge/search", """{"query":"x","threadId":"THREAD"}"""),
            (HttpMethod.Get, "/api/agents/AGENT/memory", null),
            (HttpMethod.Put, "/api/agents/AGENT/memory", """{"enabled":true}"""),
            (HttpMethod.Get, "/api/agents/AGENT/memories", null),
            (HttpMethod.Get, "/api/agents/AGENT/memories?q=private", null),
            (HttpMethod.Post, "/api/agents/AGENT/memories", """{"content":"taken"}"""),
            (HttpMethod.Delete, "/api/agents/AGENT/memories?all=true", null),
            (HttpMethod.Delete, "/api/agents/AGENT/memories/MEMORY", null),
            (HttpMethod.Get, "/api/agents/AGENT/plan", null),
            (HttpMethod.Put, "/api/agents/AGENT/plan", """{"enabled":true}"""),
            (HttpMethod.Post, "/api/plans", """{"threadId":"THREAD","title":"taken"}"""),
            (HttpMethod.Get, "/api/plans/PLAN", null),
            (HttpMethod.Patch, "/api/plans/PLAN", """{"title":"taken"}"""),
            (HttpMethod.Delete, "/api/plans/PLAN", null),
            (HttpMethod.Get, "/api/plans/PLAN/ready", null),
            (HttpMethod.Post, "/api/plans/PLAN/todos", """{"content":"taken"}"""),
            (HttpMethod.Patch, "/api/plans/PLAN/todos/TODO", """{"status":"done"}"""),
            (HttpMethod.Delete, "/api/plans/PLAN/todos/TODO", null),
            (HttpMethod.Get, "/api/plans/PLAN/todos/TODO/deps", null),
            (HttpMethod.Post, "/api/plans/PLAN/todos/TODO/deps", """{"dependsOnId":"TODO"}"""),
            (HttpMethod.Delete, "/api/plans/PLAN/todos/TODO/deps", """{"dependsOnId":"TODO"}"""),
            (HttpMethod.Get, "/api/threads?agentId=AGENT", null),
            (HttpMethod.Post, "/api/threads", """{"agentId":"AGENT"}"""),
            (HttpMethod.Get, "/api/threads/THREAD", null),
            (HttpMethod.Patch, "/api/threads/THREAD", """{"title":"taken"}"""),
            (HttpMethod.Patch, "/api/threads/THREAD", """{"activeProfile":"full"}"""),
            (HttpMethod.Delete, "/api/threads/THREAD", null),
            (HttpMethod.Get, "/api/threads/THREAD/messages", null),
            (HttpMethod.Get, "/api/threads/THREAD/messages?include=tools&order=desc", null),
            (HttpMethod.Post, "/api/threads/THREAD/messages", """{"content":"hi"}"""),
            (HttpMethod.Post, "/api/threads/THREAD/messages", """{"content":"hi","stream":false,"onBusy":"queue"}"""),
            (HttpMethod.Post, "/api/threads/THREAD/messages", """{"toolResults":[{"toolCallId":"call_1","result":"x"}]}"""),
            (HttpMethod.Get, "/api/threads/THREAD/messages/MESSAGE/sources", null),
            (HttpMethod.Get, "/api/threads/THREAD/stream", null),
            (HttpMethod.Get, $"/api/threads/THREAD/stream?lastEventId={last}", null),
            (HttpMethod.Post, "/api/threads/THREAD/stop", "{}"),
            (HttpMethod.Post, "/api/threads/THREAD/fork", """{"messageId":"MESSAGE"}"""),
            (HttpMethod.Get, "/api/threads/THREAD/participants", null),
            (HttpMethod.Post, "/api/threads/THREAD/participants", """{"userId":"me"}"""),
            (HttpMethod.Delete, "/api/threads/THREAD/participants", """{"userId":"me"}"""),
        ];
        foreach (var client in (HttpClient[])[key, user])
        {
            foreach (var (method, path, body) in routes)
            {
                var foreign = await client.BodyAsync(method, In(path, theirs), body is null ? null : In(body, theirs));
                var nothing = await client.BodyAsync(method, In(path, unknown), body is null ? null : In(body, unknown));
                foreign.ShouldBe(nothing, $"{method} {path}");
                foreign.ShouldStartWith("404 ", Case.Sensitive, $"{method} {path}");
            }
        }
        // Ids of another tenant in one's own thread.
        var own = await world.PostAsync("/api/threads", new { agentId = mine }, key).ShouldBe(200);
        foreach (var path in (string[])[$"/messages/{answer}/sources", $"/stream?lastEventId={last}"])
        {
            (await key.BodyAsync(HttpMethod.Get, $"/api/threads/{own.Text("id")}{path}")).ShouldStartWith("404 ");
        }
        (await key.BodyAsync(HttpMethod.Put, $"/api/agents/{mine}/delegated", $$$"""{"agents":[{"agentId":"{{{agent}}}"}]}""")).ShouldStartWith("404 ");
        (await key.GetAsync("/api/agents", Token).ShouldBe(200)).GetArrayLength().ShouldBe(1);
        (await key.GetAsync($"/api/logs?threadId={thread}", Token).ShouldBe(200)).GetProperty("traces").GetArrayLength().ShouldBe(0);

        var kept = await world.ThreadAsync(thread);
        kept.Text("title").ShouldBe("private");
        (await world.MessagesAsync(thread)).Count.ShouldBe(2);
        (await world.GetAsync($"/api/threads/{thread}/participants")).GetArrayLength().ShouldBe(0);
        (await world.GetAsync($"/api/plans/{plan.Text("id")}")).GetRawText().ShouldBe(plan.GetRawText());
        (await world.GetAsync($"/api/agents/{agent}/memories")).GetProperty("memories").GetArrayLength().ShouldBe(1);
        (await key.GetAsync("/api/plans", Token).ShouldBe(200)).GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData("GET", "/api/agents/x")]
    [InlineData("GET", "/api/threads/x")]
    [InlineData("GET", "/api/threads/x/messages")]
    [InlineData("POST", "/api/threads/x/messages")]
    [InlineData("POST", "/api/threads/x/stop")]
    public async Task An_id_that_is_no_uuid_is_404(string method, string path)
    {
        using var request = new HttpRequestMessage(new(method), path);
        await world.Server.Client.SendAsync(request, Token).ShouldBeError(404, "NOT_FOUND");
    }

    private static string In(string text, string[] ids)
    {
        string[] names = ["AGENT", "THREAD", "MESSAGE", "MEMORY", "PLAN", "TODO"];
        for (var i = 0; i < names.Length; i++) text = text.Replace(names[i], ids[i], StringComparison.Ordinal);
        return text;
    }
}
