using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tests.Tools;

/// <summary>Calls of webhook tools: what an application gets, and what becomes of every answer it can give.</summary>
public sealed class ToolCallTests(ToolWorld world) : IClassFixture<ToolWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_body_is_the_bare_arguments_and_the_context_travels_in_headers()
    {
        var (thread, agent, tool) = await world.OpenAsync("context", new { headers = new { Authorization = "Bearer theirs" } },
            new { userId = "zoë & co", resourceBindings = new[] { new { type = "customer", id = "42" }, new { type = "note book", id = "a:ü" } } });
        world.Receiver.Says("/" + tool, """{"result":{"celsius":4}}""");
        var events = await world.CallAsync(thread, tool, """{"city":"Oslo", "units":"métric"}""");
        events.Of("tool_result").Single().GetProperty("result").GetRawText().ShouldBe("""{"celsius":4}""");
        var hit = world.Receiver.At("/" + tool).Single();
        (hit.Method, hit.Text, hit["Content-Type"], hit["Authorization"]).ShouldBe(("POST", """{"city":"Oslo","units":"métric"}""", "application/json", "Bearer theirs"));
        var (meta, call) = (events.Of("meta").Single(), events.Of("tool_call").Single().GetProperty("tool").Text("id"));
        (hit["X-Flapjack-Tool"], hit["X-Flapjack-Tool-Call-Id"], hit["X-Flapjack-Agent-Id"], hit["X-Flapjack-Thread-Id"]).ShouldBe((tool, call, agent.ToString(), thread.ToString()));
        (hit["X-Flapjack-Message-Id"], hit["X-Flapjack-Org-Id"]).ShouldBe((meta.Text("userMessageId"), (await world.World.ThreadAsync(thread)).Text("org_id")));
        Uri.UnescapeDataString(hit["X-Flapjack-User-Id"]!).ShouldBe("zoë & co");
        hit["X-Flapjack-Resource"].ShouldBe("customer:42, note%20book:a%3A%C3%BC");
        hit["Idempotency-Key"].ShouldBe($"{meta.Text("turnId")}:{call}");
        foreach (var absent in (string[])["X-Flapjack-Test", "X-Flapjack-Runner-Id", "X-Flapjack-Run-Id", "X-Flapjack-Step-Key", "baggage", "tracestate"]) hit[absent].ShouldBeNull(absent);
        var span = (await world.World.TraceAsync(thread)).GetProperty("spans").EnumerateArray().Single(s => s.Text("kind") == "webhook");
        hit["traceparent"].ShouldBe($"00-{meta.Text("turnId").Replace("-", "", StringComparison.Ordinal)}-{span.Text("id").Replace("-", "", StringComparison.Ordinal)[16..]}-01");
        span.GetRawText().ShouldNotContain("Bearer theirs");
    }

    [Fact]
    public async Task The_sender_of_a_message_is_its_user()
    {
        var (thread, _, tool) = await world.OpenAsync("sender", thread: new { userId = "of the thread" });
        world.Receiver.Says("/" + tool, "null");
        await world.CallAsync(thread, tool, message: new { senderId = "u-17" });
        world.Receiver.At("/" + tool).Single()["X-Flapjack-User-Id"].ShouldBe("u-17");
    }

    [Fact]
    public async Task The_tools_own_secret_signs_before_the_organisations_and_that_before_the_servers()
    {
        await using var own = await ToolWorld.StartAsync();
        var (thread, _, tool) = await own.OpenAsync("signed");
        own.Receiver.Says("/" + tool, "null");
        await own.CallAsync(thread, tool, """{"a":1}""");
        IsSignedWith("the-servers-own-secret-for-tests", own.Receiver.Hits[^1]).ShouldBeTrue();
        using var owner = await own.Server.LoginOwnerAsync();
        var rotated = (await owner.PostAsync($"/api/orgs/{await own.Server.FirstOrgAsync()}/signing-secret/rotate", JsonText.Content("{}"), Token).ShouldBe(200)).Text("secret");
        await own.CallAsync(thread, tool, """{"a":1}""");
        IsSignedWith(rotated, own.Receiver.Hits[^1]).ShouldBeTrue();
        var id = (await own.World.GetAsync($"/api/tools?q={tool}"))[0].Text("id");
        await own.World.PatchAsync($"/api/tools/{id}", new { secret = "the tool's very own secret" }).ShouldBe(200);
        await own.CallAsync(thread, tool, """{"a":1}""");
        IsSignedWith("the tool's very own secret", own.Receiver.Hits[^1]).ShouldBeTrue();
        own.Receiver.Hits.Select(h => h["X-Flapjack-Nonce"]).ShouldBeUnique();
    }

    [Theory]
    [InlineData("""{"result":{"a":1},"other":2}""", """{"a":1}""")]
    [InlineData("""{"result":null}""", "null")]
    [InlineData("""{"result":"words"}""", "\"words\"")]
    [InlineData("""{"result":"9007199254740993"}""", "\"9007199254740993\"")]
    [InlineData("""{"result":"{}"}""", "\"{}\"")]
    [InlineData("\"42\"", "\"42\"")]
    [InlineData("42", "42")]
    [InlineData("""{"a":1}""", """{"a":1}""")]
    [InlineData("""{"error":"an ordinary result"}""", """{"error":"an ordinary result"}""")]
    [InlineData("""[1,2]""", "[1,2]")]
    [InlineData("plain words", "\"plain words\"")]
    [InlineData("", "null")]
    [InlineData("""{"custom":[],"a":[1.50]}""", """{"a":[1.50]}""")]
    [InlineData("""{"custom":"wrong"}""", "{}")]
    [InlineData("""{"a":"\ud800"}""", "\"{\\u0022a\\u0022:\\u0022\\\\ud800\\u0022}\"")]
    [InlineData("{\"open\":", "\"{\\u0022open\\u0022:\"")]
    public async Task Answers_become_results(string answer, string result)
    {
        var (thread, _, tool) = await world.OpenAsync("answer");
        world.Receiver.Says("/" + tool, answer);
        var seen = await world.ResultAsync(thread, tool);
        seen.GetProperty("is_error").GetBoolean().ShouldBeFalse();
        JsonElement.DeepEquals(seen.GetProperty("result"), JsonElement.Parse(result)).ShouldBeTrue(seen.ToString());
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_a_result_all_the_same()
    {
        var (thread, _, tool) = await world.OpenAsync("bytes");
        world.Receiver.On("/" + tool, async (context, _) => await context.Response.Body.WriteAsync(new byte[] { 0, 0xff, 0xfe, 0x80, 7, 0x22 }));
        var events = await world.CallAsync(thread, tool);
        events[^1].Event.ShouldBe("done");
        events.Of("tool_result").Single().GetProperty("result").ValueKind.ShouldBe(JsonValueKind.String);
        (await world.World.MessagesAsync(thread, "?include=tools")).Count.ShouldBe(3);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task An_error_status_is_the_code_with_the_head_of_the_body(int status)
    {
        var (thread, _, tool) = await world.OpenAsync("status");
        world.Receiver.Says("/" + tool, new string('x', 2_500), status);
        var result = (await world.ResultAsync(thread, tool)).GetProperty("result");
        (result.Text("error"), result.Text("detail").Length).ShouldBe(($"TOOL_HTTP_{status}", 2_000));
        world.Receiver.At("/" + tool).Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_gateways_refusal_is_tried_again_with_the_same_key_and_another_nonce()
    {
        await using var own = await ToolWorld.StartAsync();
        var (thread, _, tool) = await own.OpenAsync("retry", new { retries = 2 });
        own.Receiver.Fails("/" + tool, 502, 503);
        var calling = own.ResultAsync(thread, tool);
        await PassAsync(own, 250);
        await PassAsync(own, 500);
        (await calling).Text("result").ShouldBe("at last");
        var hits = own.Receiver.At("/" + tool).ToList();
        hits.Count.ShouldBe(3);
        hits.Select(h => h["Idempotency-Key"]).Distinct().Count().ShouldBe(1);
        hits.Select(h => h["X-Flapjack-Nonce"]).ShouldBeUnique();

        // What is left of the retries does not help against another error.
        own.Receiver.Fails("/" + tool, 504, 500);
        var failing = own.ErrorAsync(thread, tool);
        await PassAsync(own, 250);
        (await failing).ShouldBe("TOOL_HTTP_500");
    }

    [Fact]
    public async Task A_connection_that_breaks_is_not_tried_again()
    {
        var (thread, _, tool) = await world.OpenAsync("broken", new { retries = 3 });
        world.Receiver.On("/" + tool, (context, _) =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        (await world.ErrorAsync(thread, tool)).ShouldBe("TOOL_UNREACHABLE");
        world.Receiver.At("/" + tool).Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_tool_that_is_gone_is_unreachable_and_comes_back()
    {
        await using var own = await ToolWorld.StartAsync();
        // Nobody listens there, and nobody else can begin to.
        using var port = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        port.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var number = ((IPEndPoint)port.LocalEndPoint!).Port;
        var (thread, _, tool) = await own.OpenAsync("gone", new { url = $"http://127.0.0.1:{number}/x", retries = 1 });
        var calling = own.ErrorAsync(thread, tool);
        await PassAsync(own, 250);
        (await calling).ShouldBe("TOOL_UNREACHABLE");
        var id = (await own.World.GetAsync($"/api/tools?q={tool}"))[0].Text("id");
        own.Receiver.Says("/back", """{"result":"back"}""");
        await own.World.PatchAsync($"/api/tools/{id}", new { url = own.Receiver.UrlOf("/back") }).ShouldBe(200);
        (await own.ResultAsync(thread, tool)).Text("result").ShouldBe("back");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_tool_that_hangs_has_its_time_and_no_more(bool hasBegunToAnswer)
    {
        await using var own = await ToolWorld.StartAsync();
        var (thread, _, tool) = await own.OpenAsync("hang", new { timeoutMs = 7_000, retries = 3 });
        var left = new TaskCompletionSource();
        var entered = new TaskCompletionSource();
        own.Receiver.On("/" + tool, async (context, _) =>
        {
            if (hasBegunToAnswer) await context.Response.Body.WriteAsync("{"u8.ToArray());
            if (hasBegunToAnswer) await context.Response.Body.FlushAsync();
            context.RequestAborted.Register(() => left.TrySetResult());
            entered.TrySetResult();
            await left.Task;
        });
        var calling = own.ErrorAsync(thread, tool);
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        own.Server.Time.Advance(TimeSpan.FromSeconds(7));
        (await calling).ShouldBe("TOOL_TIMEOUT");
        await left.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        own.Receiver.At("/" + tool).Count().ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_flood_is_cut_off_and_the_turn_goes_on(bool saysSo)
    {
        var (thread, _, tool) = await world.OpenAsync("flood");
        var left = new TaskCompletionSource();
        world.Receiver.On("/" + tool, async (context, _) =>
        {
            var piece = new byte[64 * 1024];
            Array.Fill(piece, (byte)'x');
            if (saysSo) context.Response.ContentLength = 1L << 30;
            context.RequestAborted.Register(() => left.TrySetResult());
            while (!context.RequestAborted.IsCancellationRequested) await context.Response.Body.WriteAsync(piece, context.RequestAborted);
        });
        (await world.ErrorAsync(thread, tool)).ShouldBe("TOOL_RESPONSE_TOO_LARGE");
        await left.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
    }

    [Fact]
    public async Task A_megabyte_is_not_too_large()
    {
        var (thread, _, tool) = await world.OpenAsync("megabyte");
        world.Receiver.Says("/" + tool, new string('x', 1 << 20), type: "text/plain");
        (await world.ResultAsync(thread, tool)).GetProperty("truncated").GetBoolean().ShouldBeTrue();
    }

    [Theory]
    [InlineData(307, "POST", """{"a":1}""")]
    [InlineData(308, "POST", """{"a":1}""")]
    [InlineData(302, "GET", "")]
    [InlineData(303, "GET", "")]
    public async Task Redirects_on_the_same_host_are_followed(int status, string method, string body)
    {
        var (thread, _, tool) = await world.OpenAsync("redirect");
        Redirect("/" + tool, $"/{tool}/next", status);
        world.Receiver.Says($"/{tool}/next", """{"result":"there"}""");
        (await world.ResultAsync(thread, tool, """{"a":1}""")).Text("result").ShouldBe("there");
        var hit = world.Receiver.At($"/{tool}/next").Single();
        (hit.Method, hit.Text).ShouldBe((method, body));
        IsSignedWith("the-servers-own-secret-for-tests", hit).ShouldBeTrue();
        hit["Idempotency-Key"].ShouldBe(world.Receiver.At("/" + tool).Single()["Idempotency-Key"]);
    }

    [Fact]
    public async Task Redirects_elsewhere_or_for_ever_are_refused()
    {
        var (thread, _, tool) = await world.OpenAsync("circle");
        Redirect("/" + tool, "/" + tool, 307);
        (await world.ErrorAsync(thread, tool)).ShouldBe("TOOL_REDIRECT_REFUSED");
        world.Receiver.At("/" + tool).Count().ShouldBe(4);
        await using var other = await ToolReceiver.StartAsync();
        foreach (var address in (string[])[other.UrlOf("/x"), $"http://localhost:{world.Receiver.Port}/x", $"https://127.0.0.1:{world.Receiver.Port}/x", "file:///etc/passwd"])
        {
            Redirect("/" + tool, address, 307);
            (await world.ErrorAsync(thread, tool)).ShouldBe("TOOL_REDIRECT_REFUSED", address);
        }
        other.Hits.ShouldBeEmpty();
        world.Receiver.Says("/" + tool, "", 304);
        (await world.ErrorAsync(thread, tool)).ShouldBe("TOOL_HTTP_304");
    }

    [Fact]
    public async Task An_address_that_is_forbidden_by_now_is_blocked()
    {
        var (thread, _, tool) = await world.OpenAsync("blocked");
        var id = (await world.World.GetAsync($"/api/tools?q={tool}"))[0].Text("id");
        // Checked when it was saved, under other rules.
        await using (var db = world.Server.Database()) await db.Tools.IgnoreQueryFilters().Where(t => t.Id == Guid.Parse(id)).ExecuteUpdateAsync(set => set.SetProperty(t => t.Url, "http://10.1.2.3/x"), Token);
        await world.World.PatchAsync($"/api/tools/{id}", new { retries = 1 }).ShouldBe(200);
        var result = (await world.ResultAsync(thread, tool)).GetProperty("result");
        result.Text("error").ShouldBe("BLOCKED_ADDRESS");
        result.Text("detail").ShouldContain("Network:AllowedHosts");
    }

    [Fact]
    public async Task Events_come_before_the_result_and_stop_at_twenty()
    {
        var (thread, _, tool) = await world.OpenAsync("events");
        var custom = Enumerable.Range(1, 25).Select(i => new { kind = "step", payload = new { i } }).Cast<object>().Prepend(new { payload = 1 }).Prepend("junk");
        world.Receiver.Says("/" + tool, JsonSerializer.Serialize(new { custom, result = "done" }));
        var events = await world.CallAsync(thread, tool);
        events.Of("custom").Select(c => c.GetProperty("payload").GetProperty("i").GetInt32()).ShouldBe(Enumerable.Range(1, 20));
        events.FindLastIndex(e => e.Event == "custom").ShouldBeLessThan(events.FindIndex(e => e.Event == "tool_result"));
        events.Of("tool_result").Single().Text("result").ShouldBe("done");
    }

    [Theory]
    [InlineData("""{"auth_challenge":{"provider":"GitHub","redirectUrl":"https://example.com/a","description":"to read"},"result":1}""", ""","description":"to read" """)]
    [InlineData("""{"auth_challenge":{"provider":"GitHub","redirect_url":"https://example.com/a"}}""", "")]
    public async Task A_challenge_ends_the_turn(string answer, string description)
    {
        var (thread, _, tool) = await world.OpenAsync("challenge");
        world.Receiver.Says("/" + tool, answer);
        var events = await world.CallAsync(thread, tool);
        events.Of("auth_challenge").Single().GetProperty("challenge").GetRawText().ShouldBe($$"""{"provider":"GitHub","redirectUrl":"https://example.com/a"{{description.TrimEnd()}}}""");
        events.Of("tool_result").Single().GetProperty("result").GetRawText().ShouldBe("""{"error":"AUTH_REQUIRED","provider":"GitHub"}""");
        events[^1].Data.Text("finishReason").ShouldBe("auth_challenge");
    }

    [Theory]
    [InlineData("""{"auth_challenge":{"provider":"GitHub","redirectUrl":"http://example.com/a"}}""")]
    [InlineData("""{"auth_challenge":{"redirectUrl":"https://example.com/a"}}""")]
    [InlineData("""{"auth_challenge":"GitHub"}""")]
    public async Task A_challenge_that_leads_nowhere_safe_is_an_error(string answer)
    {
        var (thread, _, tool) = await world.OpenAsync("unsafe");
        world.Receiver.Says("/" + tool, answer);
        var events = await world.CallAsync(thread, tool);
        events.ShouldNotContain(e => e.Event == "auth_challenge");
        events.Of("tool_result").Single().GetProperty("result").Text("error").ShouldBe("TOOL_FAILED");
    }

    [Fact]
    public async Task A_call_against_the_schema_is_never_sent()
    {
        var (thread, _, tool) = await world.OpenAsync("schema", new { parameters = new { type = "object", properties = new { city = new { type = "string" } }, required = new[] { "city" } } });
        world.Receiver.Says("/" + tool, "1");
        (await world.ErrorAsync(thread, tool)).ShouldBe("INVALID_ARGUMENTS");
        world.Receiver.At("/" + tool).ShouldBeEmpty();
    }

    private void Redirect(string from, string to, int status) => world.Receiver.On(from, (context, _) =>
    {
        context.Response.StatusCode = status;
        context.Response.Headers.Location = to;
        return Task.CompletedTask;
    });

    private static async Task PassAsync(ToolWorld own, double milliseconds)
    {
        await own.Server.Time.ArmedAsync(TimeSpan.FromMilliseconds(milliseconds), TimeSpan.FromMilliseconds(milliseconds)).WaitAsync(TimeSpan.FromSeconds(20), Token);
        own.Server.Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
    }

    private static bool IsSignedWith(string secret, ToolHit hit)
    {
        byte[] text = [.. Encoding.UTF8.GetBytes($"{hit["X-Flapjack-Timestamp"]}.{hit["X-Flapjack-Nonce"]}."), .. hit.Body];
        return hit["X-Flapjack-Signature"] == Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), text));
    }
}
