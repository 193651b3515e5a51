using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Processes;
using Flapjack.Server.Tests.Threads;
using Flapjack.Server.Tests.Tools;
using Flapjack.Server.Tests.Web;
using Flapjack.Testing;
using Microsoft.AspNetCore.Http;

namespace Flapjack.Server.Tests.Credentials;

/// <summary>Users' own keys: who is asked for them and when, which request they go into, and where they never turn up.</summary>
public sealed class ResolverTests(ToolWorld world) : IClassFixture<ToolWorld>
{
    private const string Key = "sk-the-users-own-key";
    private int _paths;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_users_key_goes_into_the_request_and_nowhere_else()
    {
        var (thread, path) = await OpenAsync(world, TurnWorld.OpenAI, new { secret = "the resolver's secret" });
        world.Receiver.Says(path, $$"""{"apiKey":"{{Key}}","source":"byok"}""");
        var last = await AskAsync(world, thread, "hello", new { senderId = "u-17" });
        last.Event.ShouldBe("done");
        world.World.Upstream.LastRequest.Headers["Authorization"].ShouldBe($"Bearer {Key}");
        var hit = world.Receiver.At(path).Single();
        var asked = JsonElement.Parse(hit.Text);
        asked.EnumerateObject().Select(p => p.Name).ShouldBe(["userId", "orgId", "provider", "model"]);
        (asked.Text("userId"), asked.Text("provider"), asked.Text("model")).ShouldBe(("u-17", "openai", TurnWorld.OpenAI));
        asked.Text("orgId").ShouldBe((await world.World.ThreadAsync(thread)).Text("org_id"));
        hit["X-Flapjack-Signature"].ShouldBe(Convert.ToHexStringLower(HMACSHA256.HashData("the resolver's secret"u8, Encoding.UTF8.GetBytes($"{hit["X-Flapjack-Timestamp"]}.{hit["X-Flapjack-Nonce"]}.{hit.Text}"))));
        var trace = await world.World.TraceAsync(thread);
        SourcesIn(trace).ShouldBe(["byok"]);
        trace.GetRawText().ShouldNotContain(Key);
        world.Server.Log.Lines.ShouldNotContain(line => line.Contains(Key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Anthropic_gets_it_in_its_own_header_and_no_key_of_the_platform_is_needed()
    {
        await using var own = await ToolWorld.StartAsync(settings => settings["Providers:anthropic:ApiKey"] = "");
        var (thread, path) = await OpenAsync(own, TurnWorld.Claude);
        own.Receiver.Says(path, $$"""{"apiKey":"{{Key}}"}""");
        (await AskAsync(own, thread, "hello")).Event.ShouldBe("done");
        own.World.Upstream.LastRequest.Headers["x-api-key"].ShouldBe(Key);
        var asked = JsonElement.Parse(own.Receiver.At(path).Single().Text);
        (asked.Text("provider"), asked.GetProperty("userId").ValueKind).ShouldBe(("anthropic", JsonValueKind.Null));
        SourcesIn(await own.World.TraceAsync(thread)).ShouldBe(["byok"]);
        own.Receiver.Says(path, """{"apiKey":null}""");
        (await AskAsync(own, thread, "hello")).Data.Text("code").ShouldBe("MODEL_AUTH_FAILED");
    }

    public static TheoryData<string, int> Failures => new()
    {
        { """{"apiKey":null}""", 200 }, { "{}", 200 }, { """{"apiKey":""}""", 200 }, { """{"apiKey":7}""", 200 }, { """{"apiKey":"sk-\ud800"}""", 200 }, { """{"apiKey":"sk-a\r\nx: y"}""", 200 },
        { "[]", 200 }, { "sk-no-json", 200 }, { "", 204 }, { $$"""{"apiKey":"{{Key}}"}""", 201 }, { "gone", 404 }, { "broken", 500 },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Without_a_key_the_platforms_is_used_or_the_turn_fails(string answer, int status)
    {
        var (thread, path) = await OpenAsync(world, TurnWorld.OpenAI);
        world.Receiver.Says(path, answer, status);
        (await AskAsync(world, thread, "hello")).Event.ShouldBe("done");
        world.World.Upstream.LastRequest.Headers["Authorization"].ShouldBe("Bearer sk-test");
        SourcesIn(await world.World.TraceAsync(thread)).ShouldBe(["platform"]);

        var (strict, strictPath) = await OpenAsync(world, TurnWorld.OpenAI, new { onFailure = "fail" });
        world.Receiver.Says(strictPath, answer, status);
        var before = world.World.Upstream.Requests.Count;
        (await AskAsync(world, strict, "hello")).Data.Text("code").ShouldBe("MODEL_AUTH_FAILED");
        world.World.Upstream.Requests.Count.ShouldBe(before);
        world.Receiver.At(strictPath).Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_resolver_that_hangs_has_its_time_and_no_more()
    {
        await using var own = await ToolWorld.StartAsync();
        var (thread, path) = await OpenAsync(own, TurnWorld.OpenAI, new { timeoutMs = 3_000 });
        var (entered, left) = (new TaskCompletionSource(), new TaskCompletionSource());
        own.Receiver.On(path, async (context, _) =>
        {
            context.RequestAborted.Register(() => left.TrySetResult());
            entered.TrySetResult();
            await left.Task;
        });
        var asking = AskAsync(own, thread, "hello");
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(20), Token);
        own.Server.Time.Advance(TimeSpan.FromSeconds(3));
        (await asking).Event.ShouldBe("done");
        own.World.Upstream.LastRequest.Headers["Authorization"].ShouldBe("Bearer sk-test");
    }

    [Fact]
    public async Task Repeats_and_fallbacks_ask_again_each_with_its_provider()
    {
        await using var own = await ToolWorld.StartAsync();
        var (thread, path) = await OpenAsync(own, TurnWorld.OpenAI);
        own.Receiver.On(path, (context, hit) => context.Response.WriteAsync($$"""{"apiKey":"sk-for-{{JsonElement.Parse(hit.Text).Text("provider")}}-{{own.Receiver.At(path).Count()}}"}"""));
        own.World.Upstream.Reply(Script.Status(503), Script.Status(404), Script.Text("from the other"));
        var asking = AskAsync(own, thread, "hello", new { anthropicOverrides = new { fallbackModels = new[] { TurnWorld.Claude } } });
        own.Server.Time.Advance(await own.Server.Time.ArmedAsync(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1.2)).WaitAsync(TimeSpan.FromSeconds(20), Token));
        (await asking).Data.Text("content").ShouldBe("from the other");
        own.World.Upstream.Requests.Select(r => r.Headers.GetValueOrDefault("x-api-key") ?? r.Headers["Authorization"]).ShouldBe(["Bearer sk-for-openai-1", "Bearer sk-for-openai-2", "sk-for-anthropic-3"]);
        SourcesIn(await own.World.TraceAsync(thread)).ShouldBe(["byok"]);
    }

    [Fact]
    public async Task A_key_is_remembered_for_its_user_and_model_while_it_is_good()
    {
        await using var own = await ToolWorld.StartAsync();
        var (thread, path) = await OpenAsync(own, TurnWorld.OpenAI, new { cacheSeconds = 60 });
        own.Receiver.Says(path, $$"""{"apiKey":"{{Key}}"}""");
        async Task<int> AskedAsync(string sender, string? model = null)
        {
            var before = own.Receiver.At(path).Count();
            await AskAsync(own, thread, "hello", model is null ? new { senderId = sender } : new { senderId = sender, modelOverride = model });
            return own.Receiver.At(path).Count() - before;
        }
        (await AskedAsync("ann")).ShouldBe(1);
        (await AskedAsync("ann")).ShouldBe(0);
        own.World.Upstream.LastRequest.Headers["Authorization"].ShouldBe($"Bearer {Key}");
        (await AskedAsync("bob")).ShouldBe(1);
        (await AskedAsync("ann", "gpt-5.4-mini")).ShouldBe(1);
        own.Server.Time.Advance(TimeSpan.FromSeconds(60));
        (await AskedAsync("ann")).ShouldBe(1);
        // The provider takes it no more: the next request asks for another.
        own.World.Upstream.Reply(Script.Status(401));
        (await AskAsync(own, thread, "hello", new { senderId = "ann" })).Data.Text("code").ShouldBe("MODEL_AUTH_FAILED");
        (await AskedAsync("ann")).ShouldBe(1);
        var agent = (await own.World.ThreadAsync(thread)).Text("agent_id");
        await own.Server.Client.PutAsync($"/api/agents/{agent}/credentials", JsonText.Content("""{"timeoutMs":4000}"""), Token).ShouldBe(200);
        (await AskedAsync("ann")).ShouldBe(1);
    }

    [Fact]
    public async Task Nobody_is_asked_while_it_is_off()
    {
        var (thread, path) = await OpenAsync(world, TurnWorld.OpenAI, new { enabled = false });
        world.Receiver.Says(path, $$"""{"apiKey":"{{Key}}"}""");
        (await AskAsync(world, thread, "hello")).Event.ShouldBe("done");
        world.Receiver.At(path).ShouldBeEmpty();
        SourcesIn(await world.World.TraceAsync(thread)).ShouldBe(["platform"]);
    }

    [Fact]
    public async Task Research_is_answered_with_the_users_key_too()
    {
        await using var own = await ToolWorld.StartAsync();
        await using var web = await FakeWeb.StartAsync();
        await WebWorld.SetUpAsync(own.World, "tavily", web);
        web.Json("/search", new { results = new[] { new { title = "T", url = web.Address + "/x", content = "S" } } });
        var (thread, path) = await OpenAsync(own, TurnWorld.OpenAI);
        own.Receiver.Says(path, $$"""{"apiKey":"{{Key}}","source":"byok"}""");
        await SwitchOnAsync(own, thread, "web", """{"enabled":true}""");
        own.World.Upstream.Reply(Script.ToolCalls(new ScriptedCall("call_a", "web_research", """{"question":"Why?"}""")), Script.Text("So [1]."), Script.Text("So."));
        (await AskAsync(own, thread, "why?", new { senderId = "u-17" })).Data.Text("content").ShouldBe("So.");
        own.World.Upstream.Requests.Select(r => r.Headers["Authorization"]).ShouldBe(Enumerable.Repeat($"Bearer {Key}", 3));
        own.Receiver.At(path).Select(hit => JsonElement.Parse(hit.Text).Text("userId")).ShouldBe(Enumerable.Repeat("u-17", 3));
        SourcesIn(await own.World.TraceAsync(thread)).ShouldBe(["byok", "byok", "byok"]);
    }

    [Fact]
    public async Task Memories_are_collected_with_the_users_key_too()
    {
        await using var own = await ToolWorld.StartAsync();
        var (thread, path) = await OpenAsync(own, TurnWorld.OpenAI);
        own.Receiver.Says(path, $$"""{"apiKey":"{{Key}}"}""");
        await SwitchOnAsync(own, thread, "memory", """{"enabled":true,"autoCollect":true}""");
        own.World.Upstream.Reply(Script.Text("Noted."), Script.Text("""{"memories":["The user works from Bergen."]}"""));
        (await AskAsync(own, thread, "I moved to Bergen.", new { senderId = "u-17" })).Event.ShouldBe("done");
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "the turn is looked through", () => Task.FromResult(own.World.Upstream.Requests.Count == 2));
        own.World.Upstream.Requests.Select(r => r.Headers["Authorization"]).ShouldBe([$"Bearer {Key}", $"Bearer {Key}"]);
        own.Receiver.At(path).Select(hit => JsonElement.Parse(hit.Text).Text("userId")).ShouldBe(["u-17", "u-17"]);
    }

    private static async Task SwitchOnAsync(ToolWorld at, Guid thread, string config, string body)
    {
        var agent = (await at.World.ThreadAsync(thread)).Text("agent_id");
        await at.Server.Client.PutAsync($"/api/agents/{agent}/{config}", JsonText.Content(body), Token).ShouldBe(200);
    }

    private async Task<(Guid Thread, string Path)> OpenAsync(ToolWorld at, string model, object? fields = null)
    {
        var path = $"/resolve{Interlocked.Increment(ref _paths)}-{Guid.NewGuid():N}";
        var agent = await at.Server.CreateAgentAsync("Ada", new { defaultModel = model });
        var config = JsonSerializer.SerializeToNode(new { enabled = true, resolverUrl = at.Receiver.UrlOf(path) })!.AsObject();
        if (fields is not null) foreach (var (name, value) in JsonSerializer.SerializeToNode(fields)!.AsObject()) config[name] = value?.DeepClone();
        await at.Server.Client.PutAsync($"/api/agents/{agent}/credentials", JsonText.Content(config.ToJsonString()), Token).ShouldBe(200);
        return (await at.Server.CreateThreadAsync(agent), path);
    }

    private static async Task<ServerEvent> AskAsync(ToolWorld at, Guid thread, string content, object? fields = null)
    {
        var body = JsonSerializer.SerializeToNode(new { content })!.AsObject();
        if (fields is not null) foreach (var (name, value) in JsonSerializer.SerializeToNode(fields)!.AsObject()) body[name] = value?.DeepClone();
        await using var stream = await at.World.SendAsync(thread, body.ToJsonString());
        return await stream.EndAsync();
    }

    private static IEnumerable<string> SourcesIn(JsonElement trace) => trace.GetProperty("spans").EnumerateArray().Where(s => s.Text("kind") == "llm").Select(s => s.Text("credential_source"));
}
