using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.McpServer;

public sealed class McpServerTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_lists_agents_asks_one_and_reads_what_was_said()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline", description = "Counts" });
        var mcp = new McpClient(world.Server.Client);
        var hello = await mcp.InitializeAsync();
        (hello.Text("protocolVersion"), hello.GetProperty("serverInfo").Text("name")).ShouldBe(("2025-11-25", "flapjack"));
        (await mcp.AskAsync("ping")).GetProperty("result").EnumerateObject().ShouldBeEmpty();
        var tools = (await mcp.AskAsync("tools/list")).GetProperty("result").GetProperty("tools").EnumerateArray().Select(t => t.Text("name"));
        tools.ShouldBe(["list_agents", "ask_agent", "list_threads", "get_messages", "search_knowledge"]);

        var agents = (await mcp.CallAsync("list_agents")).GetProperty("structuredContent").GetProperty("agents").EnumerateArray();
        agents.Single(a => a.Text("id") == agent.ToString()).Text("description").ShouldBe("Counts");
        var first = (await mcp.CallAsync("ask_agent", new { agentId = agent, message = "/echo one" })).GetProperty("structuredContent");
        first.Text("content").ShouldBe("one");
        var thread = first.Text("threadId");
        var second = await mcp.CallAsync("ask_agent", new { agentId = agent, message = "/history", threadId = thread });
        second.GetProperty("isError").GetBoolean().ShouldBeFalse();
        JsonElement.Parse(second.GetProperty("content")[0].Text("text")).Text("threadId").ShouldBe(thread);
        second.GetProperty("structuredContent").Text("content").ShouldStartWith("messages: 3");

        (await mcp.CallAsync("list_threads", new { agentId = agent })).GetProperty("structuredContent").GetProperty("threads")[0].Text("id").ShouldBe(thread);
        var messages = (await mcp.CallAsync("get_messages", new { threadId = thread, limit = 2 })).GetProperty("structuredContent");
        messages.GetProperty("total").GetInt64().ShouldBe(4);
        messages.GetProperty("messages").EnumerateArray().Select(m => m.Text("role")).ShouldBe(["user", "assistant"]);
        (await world.TraceAsync(Guid.Parse(thread))).GetProperty("trace").GetProperty("tags")[0].GetString().ShouldBe("source:mcp");
    }

    [Fact]
    public async Task A_client_searches_the_documents_of_an_agent()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        await world.PostAsync("/api/knowledge/text", new { text = "Refunds take five days.", title = "Refunds", scopeType = "agent", scopeId = agent }).ShouldBe(201);
        var mcp = new McpClient(world.Server.Client);
        await mcp.InitializeAsync();
        var found = (await mcp.CallAsync("search_knowledge", new { query = "refunds", agentId = agent, limit = 3 })).GetProperty("structuredContent");
        (found.Text("mode"), found.GetProperty("results")[0].Text("title")).ShouldBe(("lexical", "Refunds"));
        (await mcp.CallAsync("search_knowledge", new { query = "refunds" })).GetProperty("isError").GetBoolean().ShouldBeTrue();
        (await mcp.CallAsync("search_knowledge", new { query = "refunds", agentId = Guid.NewGuid() })).GetProperty("isError").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Each_tool_call_of_the_agent_is_told_as_progress_to_whoever_asks_for_it()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        var mcp = new McpClient(world.Server.Client, $"/mcp/agents/{agent}");
        await mcp.InitializeAsync();
        (await mcp.AskAsync("tools/list")).GetProperty("result").GetProperty("tools").EnumerateArray().Select(t => t.Text("name")).ShouldBe(["ask"]);
        var told = await mcp.MessagesAsync("tools/call", new { name = "ask", arguments = new { message = "/tool weather {\"city\":\"Oslo\"}" }, _meta = new { progressToken = "p1" } });
        var progress = told[0].GetProperty("params");
        (told[0].Text("method"), progress.Text("progressToken"), progress.GetProperty("progress").GetInt32(), progress.Text("message")).ShouldBe(("notifications/progress", "p1", 1, "Calling weather"));
        told[^1].GetProperty("result").GetProperty("isError").GetBoolean().ShouldBeFalse();
        (await mcp.MessagesAsync("tools/call", new { name = "ask", arguments = new { message = "/tool weather {\"city\":\"Oslo\"}" } })).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_client_that_takes_no_streams_gets_its_answer_as_json()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        var mcp = new McpClient(world.Server.Client, $"/mcp/agents/{agent}");
        await mcp.InitializeAsync();
        using var response = await mcp.PostAsync(new { jsonrpc = "2.0", id = "x", method = "tools/call", @params = new { name = "ask", arguments = new { message = "/echo plain" } } }, "application/json");
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        (await response.ShouldBeAsync(200)).GetProperty("result").GetProperty("structuredContent").Text("content").ShouldBe("plain");
    }

    [Fact]
    public async Task What_goes_wrong_in_a_tool_is_a_result_the_model_can_read()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        var mcp = new McpClient(world.Server.Client);
        await mcp.InitializeAsync();
        (object Arguments, string Code)[] calls =
        [
            (new { agentId = agent }, "VALIDATION_ERROR"),
            (new { agentId = "x", message = "hi" }, "VALIDATION_ERROR"),
            (new { agentId = agent, message = " " }, "VALIDATION_ERROR"),
            (new { agentId = Guid.CreateVersion7(), message = "hi" }, "NOT_FOUND"),
            (new { agentId = agent, message = "hi", threadId = Guid.CreateVersion7() }, "NOT_FOUND"),
            (new { agentId = agent, message = "/fail 401" }, "MODEL_AUTH_FAILED"),
        ];
        foreach (var (arguments, code) in calls)
        {
            var result = await mcp.CallAsync("ask_agent", arguments);
            result.GetProperty("isError").GetBoolean().ShouldBeTrue();
            JsonElement.Parse(result.GetProperty("content")[0].Text("text")).Text("error").ShouldBe(code, arguments.ToString());
        }
        (await mcp.AskAsync("tools/call", new { name = "run_runner", arguments = new { } })).GetProperty("error").GetProperty("code").GetInt32().ShouldBe(-32602);
        (await mcp.AskAsync("resources/list")).GetProperty("error").GetProperty("code").GetInt32().ShouldBe(-32601);
    }

    [Fact]
    public async Task A_session_is_needed_belongs_to_its_key_and_endpoint_and_ends_when_it_is_deleted()
    {
        var agent = await world.Server.CreateAgentAsync();
        var mcp = new McpClient(world.Server.Client);
        await mcp.PostAsync(new { jsonrpc = "2.0", id = 1, method = "ping" }).ShouldBeError(400, "INVALID_REQUEST");
        await mcp.InitializeAsync();
        await new McpClient(world.Server.Client, $"/mcp/agents/{agent}") { Session = mcp.Session }.PostAsync(new { jsonrpc = "2.0", id = 1, method = "ping" }).ShouldBeError(404, "NOT_FOUND");
        using var other = world.Server.ClientFor((await world.Server.AddKeyAsync(await world.Server.FirstOrgAsync())).Text);
        await new McpClient(other) { Session = mcp.Session }.PostAsync(new { jsonrpc = "2.0", id = 1, method = "ping" }).ShouldBeError(404, "NOT_FOUND");
        await mcp.SendAsync(HttpMethod.Delete).ShouldBe(200);
        await mcp.PostAsync(new { jsonrpc = "2.0", id = 1, method = "ping" }).ShouldBeError(404, "NOT_FOUND");
        await mcp.SendAsync(HttpMethod.Delete).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task The_listening_stream_ends_with_its_session()
    {
        var mcp = new McpClient(world.Server.Client);
        await mcp.InitializeAsync();
        using var listening = await mcp.SendAsync(HttpMethod.Get, accept: "text/event-stream");
        listening.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        await mcp.SendAsync(HttpMethod.Delete).ShouldBe(200);
        (await listening.Content.ReadAsStringAsync(Token).WaitAsync(TimeSpan.FromSeconds(20), Token)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_listening_stream_ends_with_its_session_on_another_node_too()
    {
        if (!TestDatabase.IsPostgres) Assert.Skip("SQLite has one node.");
        await using var peer = world.Server.StartPeer();
        var mcp = new McpClient(world.Server.Client);
        await mcp.InitializeAsync();
        using var listening = await new McpClient(peer.Client) { Session = mcp.Session }.SendAsync(HttpMethod.Get, accept: "text/event-stream");
        listening.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        await mcp.SendAsync(HttpMethod.Delete).ShouldBe(200);
        (await listening.Content.ReadAsStringAsync(Token).WaitAsync(TimeSpan.FromSeconds(20), Token)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_cancelled_call_stops_its_turn_and_is_not_answered()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        var mcp = new McpClient(world.Server.Client, $"/mcp/agents/{agent}");
        await mcp.InitializeAsync();
        var hold = world.Tools.Hold("mcp-cancel");
        using var asking = await mcp.PostAsync(new { jsonrpc = "2.0", id = "call-1", method = "tools/call", @params = new { name = "ask", arguments = new { message = "/tool hold {\"key\":\"mcp-cancel\"}" } } });
        await hold.Entered;
        using var cancelled = await mcp.PostAsync(new { jsonrpc = "2.0", method = "notifications/cancelled", @params = new { requestId = "call-1" } });
        ((int)cancelled.StatusCode).ShouldBe(202);
        await hold.Cancelled;
        (await asking.Content.ReadAsStringAsync(Token).WaitAsync(TimeSpan.FromSeconds(20), Token)).ShouldNotContain("result");
    }

    [Fact]
    public async Task Whoever_loses_the_connection_finds_the_answer_in_the_thread()
    {
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        var mcp = new McpClient(world.Server.Client, $"/mcp/agents/{agent}");
        await mcp.InitializeAsync();
        var hold = world.Tools.Hold("mcp-lost");
        using (await mcp.PostAsync(new { jsonrpc = "2.0", id = 7, method = "tools/call", @params = new { name = "ask", arguments = new { message = "/tool hold {\"key\":\"mcp-lost\"}" } } })) await hold.Entered;
        hold.Release("still there");
        var thread = (await world.GetAsync($"/api/threads?agentId={agent}")).GetProperty("threads")[0].GetProperty("id").GetGuid();
        using var attached = await world.Server.Client.GetAsync($"/api/threads/{thread}/stream", Token);
        await attached.Content.ReadAsStringAsync(Token);
        (await world.MessagesAsync(thread))[^1].Text("content").ShouldContain("still there");
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("null")]
    public async Task A_foreign_origin_is_refused(string origin)
    {
        var mcp = new McpClient(world.Server.Client);
        using var refused = await mcp.PostAsync(new { jsonrpc = "2.0", id = 1, method = "initialize", @params = new { } }, headers: ("Origin", origin));
        await refused.ShouldBeErrorAsync(403, "FORBIDDEN");
        // A name that was made to point here says the same in both headers.
        using var rebound = await mcp.PostAsync(new { jsonrpc = "2.0", id = 1, method = "initialize", @params = new { } }, headers: [("Origin", "http://evil.example"), ("Host", "evil.example")]);
        await rebound.ShouldBeErrorAsync(403, "FORBIDDEN");
        using var own = await mcp.PostAsync(new { jsonrpc = "2.0", id = 1, method = "initialize", @params = new { } }, headers: ("Origin", world.Server.BaseAddress.GetLeftPart(UriPartial.Authority)));
        await own.ShouldBeAsync(200);
    }

    [Fact]
    public async Task Versions_are_negotiated_and_unknown_ones_refused_afterwards()
    {
        var mcp = new McpClient(world.Server.Client);
        (await mcp.InitializeAsync("2025-03-26")).Text("protocolVersion").ShouldBe("2025-03-26");
        (await new McpClient(world.Server.Client).InitializeAsync("1999-01-01")).Text("protocolVersion").ShouldBe("2025-11-25");
        await mcp.PostAsync(new { jsonrpc = "2.0", id = 1, method = "ping" }, headers: ("MCP-Protocol-Version", "1999-01-01")).ShouldBeError(400, "INVALID_REQUEST");
        await mcp.PostAsync(new { jsonrpc = "2.0", id = 1, method = "ping" }, headers: ("MCP-Protocol-Version", "2025-06-18")).ShouldBe(200);
    }

    [Theory]
    [InlineData("{", -32700)]
    [InlineData("[]", -32600)]
    [InlineData("""{"id":1,"method":"ping"}""", -32600)]
    [InlineData("""{"jsonrpc":"2.0","id":1}""", -32600)]
    public async Task What_is_no_message_is_an_error_of_the_protocol(string body, int code)
    {
        var mcp = new McpClient(world.Server.Client);
        await mcp.InitializeAsync();
        (await mcp.PostAsync(body).ShouldBe(400)).GetProperty("error").GetProperty("code").GetInt32().ShouldBe(code);
    }

    [Fact]
    public async Task A_key_needs_the_scope_and_a_user_sees_only_threads_of_their_own()
    {
        var org = await world.Server.FirstOrgAsync();
        using var reader = world.Server.ClientFor((await world.Server.AddKeyAsync(org, scopes: "mcp:read threads:write")).Text);
        await new McpClient(reader).PostAsync(new { jsonrpc = "2.0", id = 1, method = "initialize" }).ShouldBeError(403, "FORBIDDEN");
        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        var theirs = await world.Server.CreateThreadAsync(agent);
        await world.Server.AddUserAsync("mcp-member@example.com", (org, "member"));
        using var member = await world.Server.ClientOfAsync("mcp-member@example.com");
        var mcp = new McpClient(member);
        await mcp.InitializeAsync();
        var asked = (await mcp.CallAsync("ask_agent", new { agentId = agent, message = "/echo me" })).GetProperty("structuredContent");
        (await mcp.CallAsync("list_threads", new { agentId = agent })).GetProperty("structuredContent").GetProperty("threads").EnumerateArray().Select(t => t.Text("id")).ShouldBe([asked.Text("threadId")]);
        (await mcp.CallAsync("get_messages", new { threadId = theirs })).GetProperty("isError").GetBoolean().ShouldBeTrue();
        (await mcp.CallAsync("ask_agent", new { agentId = agent, message = "hi", threadId = theirs })).GetProperty("isError").GetBoolean().ShouldBeTrue();
    }
}
