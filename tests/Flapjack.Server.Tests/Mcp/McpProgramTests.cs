using Flapjack.Server.Tests.Accounts;

namespace Flapjack.Server.Tests.Mcp;

/// <summary>Servers that are programs: who may name one, where it runs, and what becomes of one that misbehaves.</summary>
public sealed class McpProgramTests
{
    // Speaks just enough MCP, with nothing but a shell.
    private const string Script = """
        say() { printf '{"jsonrpc":"2.0","id":%s,%s}\n' "$id" "$1"; }
        while read -r line; do
          id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
          case "$line" in
            *'"initialize"'*) say '"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"sh","version":"1"}}' ;;
            *'"tools/list"'*) say '"result":{"tools":[{"name":"look","inputSchema":{"type":"object"}},{"name":"die","inputSchema":{"type":"object"}}]}' ;;
            *'"die"'*) echo 'so long' >&2; exit 3 ;;
            *'"tools/call"'*) say "\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"$GREETING $(ls /data-of-the-host 2>/dev/null) $FLAPJACK_SECRET\"}]}" ;;
            *notifications/*) ;;
            *) say '"error":{"code":-32601,"message":"no"}' ;;
          esac
        done
        """;

    private static readonly object Program = new { name = "Shell", transport = "stdio", command = "sh", args = new[] { "-c", Script }, credentials = new { env = new { GREETING = "hello" } } };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Switched_off_no_program_can_be_named()
    {
        await using var world = await McpWorld.StartAsync(settings => settings["Mcp:Stdio"] = "off");
        await world.PostAsync("/api/mcps", Program).ShouldBeError(403, "FEATURE_DISABLED");
        var mcp = await world.AddAsync(new { name = "Web", transport = "sse", url = "https://a.example.com" });
        await world.Turns.PatchAsync($"/api/mcps/{mcp.Text("id")}", Program).ShouldBeError(403, "FEATURE_DISABLED");
    }

    [Fact]
    public async Task On_the_host_only_admins_name_programs_and_keys_never()
    {
        await using var world = await McpWorld.StartAsync(settings => settings["Mcp:Stdio"] = "host");
        await world.PostAsync("/api/mcps", Program).ShouldBeError(403, "FORBIDDEN");
        var org = await world.Server.FirstOrgAsync();
        await world.Server.AddUserAsync("member@example.com", (org, "member"));
        var member = await world.Server.ClientOfAsync("member@example.com");
        await world.PostAsync("/api/mcps", Program, member).ShouldBeError(403, "FORBIDDEN");
        var mcp = await world.AddAsync(Program, await world.Server.LoginOwnerAsync());
        using (var change = await member.PatchAsync($"/api/mcps/{mcp.Text("id")}", JsonText.Content("""{"command":"rm"}"""), Token)) await change.ShouldBeErrorAsync(403, "FORBIDDEN");
        using (var rename = await member.PatchAsync($"/api/mcps/{mcp.Text("id")}", JsonText.Content("""{"name":"Sh"}"""), Token)) await rename.ShouldBeAsync(200);

        var agent = await world.Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline" });
        await world.AttachAsync(agent, mcp.Text("id"));
        var thread = await world.Server.CreateThreadAsync(agent);
        (await world.CallAsync(thread, "shell__look")).Text("result").Trim().ShouldBe("hello");
        var died = await world.CallAsync(thread, "shell__die");
        died.GetProperty("result").Text("error").ShouldBe("TOOL_UNREACHABLE");
        // The next call starts it again.
        (await world.CallAsync(thread, "shell__look")).Text("result").Trim().ShouldBe("hello");
    }

    [Fact]
    public async Task In_the_sandbox_a_member_may_name_one_and_it_runs_isolated_or_not_at_all()
    {
        await using var world = await McpWorld.StartAsync();
        var mcp = await world.AddAsync(Program);
        (mcp.Text("command"), mcp.Text("auth"), mcp.GetProperty("hasCredentials").GetBoolean()).ShouldBe(("sh", "env", true));
        var tested = await world.TestAsync(mcp.Text("id"));
        if (!tested.GetProperty("ok").GetBoolean())
        {
            // A host that cannot isolate must not run it.
            tested.Text("detail").ShouldContain("cannot be isolated");
            Assert.Skip(tested.Text("detail"));
        }
        tested.GetProperty("tools").GetArrayLength().ShouldBe(2);
    }

    [Theory]
    [InlineData("yes", "PROTOCOL_ERROR")]
    [InlineData("exit 1", "CONNECT_FAILED")]
    [InlineData("echo boom >&2; exit 1", "CONNECT_FAILED")]
    // Its output ends long before its last words: more than a pipe holds comes before them.
    [InlineData("exec >/dev/null; { head -c 300000 /dev/zero | tr '\\0' 'x'; echo boom; } >&2; exit 1", "CONNECT_FAILED")]
    public async Task A_program_that_speaks_something_else_is_ended(string script, string error)
    {
        await using var world = await McpWorld.StartAsync(settings => settings["Mcp:Stdio"] = "host");
        var owner = await world.Server.LoginOwnerAsync();
        var mcp = await world.AddAsync(new { name = "Babble", transport = "stdio", command = "sh", args = new[] { "-c", script } }, owner);
        var answer = await world.TestAsync(mcp.Text("id"));
        answer.Text("error").ShouldBe(error, answer.ToString());
        if (script.Contains("boom", StringComparison.Ordinal)) answer.Text("detail").ShouldContain("boom");
    }

    [Fact]
    public async Task A_program_that_does_not_exist_is_a_failure_to_connect()
    {
        await using var world = await McpWorld.StartAsync(settings => settings["Mcp:Stdio"] = "host");
        var mcp = await world.AddAsync(new { name = "Nothing", transport = "stdio", command = "/usr/bin/no-such-program" }, await world.Server.LoginOwnerAsync());
        (await world.TestAsync(mcp.Text("id"))).Text("error").ShouldBe("CONNECT_FAILED");
    }
}
