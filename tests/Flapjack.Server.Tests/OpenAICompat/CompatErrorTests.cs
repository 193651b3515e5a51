using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Tests.Threads;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.OpenAICompat;

/// <summary>Failures below <c>/v1</c> have OpenAI's form and this server's codes.</summary>
public sealed class CompatErrorTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static object Hello(string model) => new { model, messages = new[] { CompatCalls.User("hi") } };

    [Fact]
    public async Task Strangers_unknown_paths_and_methods()
    {
        var stranger = world.Server.Anonymous;
        (await world.ChatAsync(Hello("x"), client: stranger).ShouldFailAsync(401, "UNAUTHORIZED")).GetProperty("type").GetString().ShouldBe("authentication_error");
        await stranger.GetAsync("/v1/embeddings", Token).ShouldFailAsync(404, "NOT_FOUND");
        await stranger.GetAsync("/v1", Token).ShouldFailAsync(404, "NOT_FOUND");
        await world.Server.Client.DeleteAsync("/v1/models", Token).ShouldFailAsync(405, "METHOD_NOT_ALLOWED");
        await stranger.GetAsync("/v1x", Token).ShouldBeError(404, "NOT_FOUND");
        using var demo = world.Server.ClientFor(ApiKeyFormat.DemoKey);
        await demo.GetAsync("/v1/models", Token).ShouldFailAsync(403, "DEMO_KEY_READ_ONLY");
    }

    [Fact]
    public async Task A_key_needs_the_scope()
    {
        using var owner = await world.Server.LoginOwnerAsync();
        var key = await world.PostAsync("/api/keys", new { name = "reader", scopes = new[] { "threads:read" } }, owner).ShouldBe(201);
        using var reader = world.Server.ClientFor(key.GetProperty("key").GetString()!);
        (await world.ChatAsync(Hello("x"), client: reader).ShouldFailAsync(403, "FORBIDDEN")).GetProperty("type").GetString().ShouldBe("permission_error");
        await reader.GetAsync("/v1/models", Token).ShouldBe(200);
    }

    [Fact]
    public async Task Over_the_limit_is_429_and_leaves_no_thread()
    {
        await using var own = await TurnWorld.StartAsync(settings => settings["Limits:MessagesPerMinute"] = "1");
        var model = await own.AgentAsync();
        await own.ChatAsync(Hello(model)).ShouldBe(200);
        using var refused = await own.ChatAsync(Hello(model));
        refused.Header("Retry-After").ShouldNotBeNull();
        (await Task.FromResult(refused).ShouldFailAsync(429, "RATE_LIMITED")).GetProperty("type").GetString().ShouldBe("rate_limit_error");
    }

    [Fact]
    public async Task Models_that_are_no_agents_do_not_exist_here()
    {
        foreach (var model in (string[])["gpt-5.4", "agent:helper", $"agent:{Guid.CreateVersion7()}", "flapjack-offline"])
        {
            var error = await world.ChatAsync(Hello(model)).ShouldFailAsync(404, "model_not_found", "model");
            error.GetProperty("type").GetString().ShouldBe("invalid_request_error");
        }
        var deleted = await world.AgentAsync();
        await world.Server.Client.DeleteAsync($"/api/agents/{deleted[6..]}", Token).ShouldBe(200);
        await world.ChatAsync(Hello(deleted)).ShouldFailAsync(404, "model_not_found", "model");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_model_that_fails_at_once_is_an_ordinary_answer_also_of_a_stream(bool stream)
    {
        var model = await world.AgentAsync();
        var error = await world.ChatAsync(new { model, stream, messages = new[] { CompatCalls.User("/fail 401") } }).ShouldFailAsync(502, "MODEL_AUTH_FAILED");
        error.GetProperty("type").GetString().ShouldBe("server_error");
        await world.RespondAsync(new { model, stream, input = "/fail 401" }).ShouldFailAsync(502, "MODEL_AUTH_FAILED");
    }

    [Fact]
    public async Task A_model_that_fails_in_the_middle_is_told_in_the_stream()
    {
        var model = await world.AgentAsync(TurnWorld.OpenAI);
        world.Upstream.Reply(Script.Text("half", "never").CutAfter(1));
        var stream = await world.ChatAsync(new { model, stream = true, messages = new[] { CompatCalls.User("hi") } }).StreamAsync();
        stream.IsDone.ShouldBeFalse();
        stream.Data.Last().GetProperty("error").GetProperty("code").GetString().ShouldBe("MODEL_UNAVAILABLE");
        world.Upstream.Reply(Script.Text("").Filtered());
        await world.ChatAsync(new { model, messages = new[] { CompatCalls.User("hi") } }).ShouldFailAsync(422, "CONTENT_FILTERED");
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"user","content":"hi"}]}""", 422, "VALIDATION_ERROR", "model")]
    [InlineData("""{"model":"@","messages":[]}""", 422, "VALIDATION_ERROR", "messages")]
    [InlineData("""{"model":"@","messages":[{"role":"system","content":"hi"}]}""", 422, "VALIDATION_ERROR", "messages")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}]}""", 422, "VALIDATION_ERROR", "messages")]
    [InlineData("""{"model":"@","messages":[{"role":"robot","content":"hi"}]}""", 422, "VALIDATION_ERROR", "messages[0].role")]
    [InlineData("""{"model":"@","messages":[{"role":"tool","tool_call_id":"c","content":"hi"}]}""", 422, "VALIDATION_ERROR", "messages[0].tool_call_id")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":"b"}]}""", 422, "VALIDATION_ERROR", "messages[2]")]
    [InlineData("""{"model":"@","messages":[{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"b"}]}""", 422, "VALIDATION_ERROR", "messages")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":[{"type":"input_audio"}]}]}""", 422, "VALIDATION_ERROR", "messages[0].content[0].type")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":7}]}""", 400, "INVALID_REQUEST", "messages[0].content")]
    [InlineData("""{"model":"@","messages":[null]}""", 400, "INVALID_REQUEST", "messages[0]")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"hi"}],"n":2}""", 422, "VALIDATION_ERROR", "n")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"hi"}],"temperature":3}""", 422, "VALIDATION_ERROR", "temperature")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"hi"}],"max_tokens":0}""", 422, "VALIDATION_ERROR", "max_tokens")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"hi"}],"tool_choice":"required"}""", 422, "VALIDATION_ERROR", "tool_choice")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"custom"}]}""", 400, "INVALID_REQUEST", "tools[0].type")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"no good"}}]}""", 422, "VALIDATION_ERROR", "tools[0].function.name")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"weather"}}]}""", 422, "VALIDATION_ERROR", "tools[0].name")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"hi"}],"stop":["a","b","c","d","e"]}""", 422, "VALIDATION_ERROR", "stop")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"hi"}],"stop":{}}""", 400, "INVALID_REQUEST", "stop")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"hi"}],"metadata":{"thread_id":"x"}}""", 422, "VALIDATION_ERROR", "metadata.thread_id")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"hi"}],"metadata":{"thread_id":"0197a1c2-7d10-7c31-9a55-0b6f2f7f0001"}}""", 404, "NOT_FOUND", null)]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png,x"}}]}]}""", 422, "VALIDATION_ERROR", "messages[0].content[0].image_url.url")]
    [InlineData("""{"model":"@","messages":[{"role":"system","content":[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]},{"role":"user","content":"hi"}]}""", 422, "VALIDATION_ERROR", "messages[0].content[0].image_url.url")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"xml"}}""", 422, "VALIDATION_ERROR", "response_format.type")]
    [InlineData("""{"model":"@","messages":[{"role":"user","content":"hi"}],"response_format":"json"}""", 400, "INVALID_REQUEST", "response_format")]
    [InlineData("""{"model":7}""", 400, "INVALID_REQUEST", "model")]
    [InlineData("""{"model":""", 400, "INVALID_JSON", null)]
    public async Task Bad_requests(string body, int status, string code, string? param) =>
        await world.ChatAsync(body.Replace("@", await world.AgentAsync(), StringComparison.Ordinal)).ShouldFailAsync(status, code, param);

    [Fact]
    public async Task A_thread_of_another_agent_and_results_nobody_waits_for()
    {
        var (model, other) = (await world.AgentAsync(), await world.AgentAsync());
        var thread = await world.Server.CreateThreadAsync(Guid.Parse(model[6..]));
        await world.ChatAsync(Hello(other), thread).ShouldFailAsync(422, "VALIDATION_ERROR", "model");
        await world.ChatAsync(new { model, messages = new[] { new { role = "tool", tool_call_id = "c", content = "x" } } }, thread).ShouldFailAsync(422, "VALIDATION_ERROR", "messages");
    }
}
