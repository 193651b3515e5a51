using System.Collections;
using System.Reflection;
using System.Text.Json.Nodes;
using Flapjack.Server.Mcp.Connections;
using Flapjack.Server.Mcp.Tools;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Mcp;

/// <summary>Lists of tools that no library would write, and askers who do not wait for one.</summary>
public sealed class McpListingTests(McpWorld world) : IClassFixture<McpWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"name":"bad","description":"half \ud800"}""")]
    [InlineData("""{"name":"bad","title":"\udc00 half"}""")]
    [InlineData("""{"name":"bad\ud800"}""")]
    [InlineData("""{"name":"bad","inputSchema":{"type":"object","type":"object"}}""")]
    [InlineData("""{"name":"bad","inputSchema":{"type":"object","properties":{"a":{"type":"string","type":"string"}}}}""")]
    [InlineData("""{"name":"bad","inputSchema":{"type":"object","properties":{"a":{"type":"string","description":"\ud800"}}}}""")]
    [InlineData("""{"name":"bad","inputSchema":{"type":"object","properties":{"a":{"type":"string","\ud800":1}}}}""")]
    [InlineData("""{"name":"bad","name":"worse"}""")]
    [InlineData("""{"name":"bad","annotations":{"readOnlyHint":true,"readOnlyHint":false}}""")]
    public async Task A_tool_whose_json_cannot_be_read_is_left_out_alone(string tool)
    {
        await using var fake = await FakeMcpServer.StartAsync();
        Answer(fake, $$"""{"tools":[{{tool}},{"name":"good"}]}""");
        var (mcp, slug, _, thread) = await world.GiveAsync(fake);
        (await world.CallAsync(thread, $"{slug}__good", """{"text":"hi"}""")).Text("result").ShouldBe("hi");
        var read = await world.ReadAsync(mcp);
        (read.Text("status"), read.GetProperty("toolsCache").GetArrayLength()).ShouldBe(("active", 1));
        read.Text("lastError").ShouldStartWith("1 tools were left out");
    }

    [Theory]
    [InlineData("""{"tools":[],"tools":[]}""")]
    [InlineData("""{"tools":[],"nextCursor":"\ud800"}""")]
    [InlineData("""{"tools":{}}""")]
    [InlineData("[]")]
    public async Task A_list_that_cannot_be_read_is_a_fault_of_the_server_and_no_turn_ends_for_it(string list)
    {
        await using var fake = await FakeMcpServer.StartAsync();
        Answer(fake, list);
        var (mcp, _, _, thread) = await world.GiveAsync(fake);
        (await world.Server.AskAsync(thread, "/echo here")).Of("done").Single().Text("content").ShouldBe("here");
        (await world.TestAsync(mcp)).Text("error").ShouldBe("PROTOCOL_ERROR");
    }

    [Fact]
    public async Task A_listing_nobody_waited_for_is_not_served_to_who_asks_later()
    {
        await using var fake = await FakeMcpServer.StartAsync();
        var (asked, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        Answer(fake, """{"tools":[{"name":"old"}]}""", async () =>
        {
            asked.TrySetResult();
            await answer.Task;
        });
        var (mcp, _, _, _) = await world.GiveAsync(fake);
        var tools = world.Server.Services.GetRequiredService<ServerTools>();
        var access = ServerAccess.Of(await world.RowAsync(mcp));
        using var leaving = new CancellationTokenSource();
        var renewal = tools.RenewAsync(access, leaving.Token);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        await leaving.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(renewal);
        answer.SetResult();
        // No door shows that the work is over, and until then its answer is a good one.
        var running = (ICollection)typeof(ServerTools).GetField("_renewals", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(tools)!;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        while (running.Count > 0) await Task.Delay(5, patience.Token);
        Answer(fake, """{"tools":[{"name":"new"}]}""");
        (await tools.RenewAsync(access, Token)).Tools.Select(tool => tool.Name).ShouldBe(["new"]);
    }

    // The text as it stands: what reads and writes JSON properly would mend it.
    private static void Answer(FakeMcpServer fake, string list, Func<Task>? before = null) => fake.Other = async http =>
    {
        if (http.Request.Method != "POST") return false;
        http.Request.EnableBuffering();
        var message = (await JsonNode.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted))!;
        http.Request.Body.Position = 0;
        if (message["method"]?.GetValue<string>() != "tools/list") return false;
        if (before is not null) await before();
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync($$"""{"jsonrpc":"2.0","id":{{message["id"]!.ToJsonString()}},"result":{{list}}}""", http.RequestAborted);
        return true;
    };
}
