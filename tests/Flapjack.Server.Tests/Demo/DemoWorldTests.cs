using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Flapjack.Server.Tests.Demo;

/// <summary>The demo world behind the routes that features hand it to. Its server has no database at all.</summary>
public sealed class DemoWorldTests : IAsyncLifetime
{
    private const string Agent = "00000000-0000-0000-0000-0000000a6e47", Thread = "00000000-0000-0000-0000-0000000074ed";
    private WebApplication _app = null!;
    private HttpClient _client = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(ServerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection([new("Server:PublicUrl", "https://flapjack.example.com")]).Build()));
        builder.Services.AddSingleton(TimeProvider.System);
        _app = builder.Build();
        _app.Use(RequestIds.Middleware);
        _app.UseMiddleware<ErrorResponses>();
        Map("GET", "/api/agents", c => Task.FromResult(DemoWorld.Agents(c)));
        Map("GET", "/api/agents/{agentId}", c => Task.FromResult(DemoWorld.Agent(c)));
        Map("GET", "/api/threads", c => Task.FromResult(DemoWorld.Threads(c)));
        Map("POST", "/api/threads", DemoWorld.CreateThread);
        Map("GET", "/api/threads/{threadId}", c => Task.FromResult(DemoWorld.Thread(c)));
        Map("PATCH", "/api/threads/{threadId}", DemoWorld.UpdateThread);
        Map("GET", "/api/threads/{threadId}/messages", c => Task.FromResult(DemoWorld.Messages(c)));
        Map("POST", "/api/threads/{threadId}/messages", DemoWorld.SendMessage);
        Map("POST", "/api/threads/{threadId}/stop", c => Task.FromResult(DemoWorld.Stop(c)));
        Map("GET", "/api/threads/{threadId}/participants", c => Task.FromResult(DemoWorld.Participants(c)));
        Map("GET", "/api/threads/{threadId}/messages/{messageId}/sources", c => Task.FromResult(DemoWorld.Sources(c)));
        await _app.StartAsync();
        _client = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task Models_and_logs_answer_the_demo_key_of_a_real_server()
    {
        await using var server = await ServerFixture.StartAsync();
        using var demo = server.ClientFor("fj_demo_example_key");
        (await demo.GetAsync("/api/models", Token).ShouldBe(200)).GetArrayLength().ShouldBe(8);
        var traces = (await demo.GetAsync("/api/logs", Token).ShouldBe(200)).GetProperty("traces");
        var detail = await demo.GetAsync($"/api/logs/{traces[0].GetProperty("id").GetString()}", Token).ShouldBe(200);
        detail.GetProperty("spans").GetArrayLength().ShouldBe(2);
        (await demo.GetAsync("/api/logs?status=error", Token).ShouldBe(200)).GetProperty("traces").GetArrayLength().ShouldBe(0);
        await demo.GetAsync($"/api/logs/{Agent}", Token).ShouldBeError(404, "NOT_FOUND");
        var refused = await demo.GetAsync("/api/providers", Token).ShouldBeError(403, "DEMO_KEY_READ_ONLY");
        refused.GetProperty("signupUrl").GetString()!.ShouldEndWith("/signup");
        await demo.PutAsync("/api/providers/openai", JsonText.Content("{}"), Token).ShouldBeError(403, "DEMO_KEY_READ_ONLY");
        await demo.PostAsync($"/api/logs/{Agent}/evaluations", JsonText.Content("{}"), Token).ShouldBeError(403, "DEMO_KEY_READ_ONLY");
        await server.ClientFor("fj_demo_other").GetAsync("/api/models", Token).ShouldBeError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task There_is_one_agent()
    {
        var list = await _client.GetAsync("/api/agents", Token).ShouldBe(200);
        list.EnumerateArray().Single().GetProperty("id").GetString().ShouldBe(Agent);
        list[0].TryGetProperty("stable_preamble", out _).ShouldBeFalse();
        (await _client.GetAsync($"/api/agents/{Agent}", Token).ShouldBe(200)).GetProperty("stable_preamble").GetString().ShouldNotBeNullOrEmpty();
        await _client.GetAsync($"/api/agents/{Thread}", Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task A_created_thread_echoes_what_was_sent_under_the_stub_s_id()
    {
        var thread = await _client.PostAsync("/api/threads", JsonText.Content($$"""{"agentId":"{{Agent}}","title":"T","kind":"multiplayer","system_prompt_overlay":["a","b"],"metadata":{"aB":1},"userId":"u"}"""), Token).ShouldBe(200);
        thread.GetProperty("id").GetString().ShouldBe(Thread);
        (thread.GetProperty("title").GetString(), thread.GetProperty("kind").GetString(), thread.GetProperty("system_prompt_overlay").GetString(), thread.GetProperty("user_id").GetString()).ShouldBe(("T", "multiplayer", "a\n\nb", "u"));
        thread.GetProperty("metadata").GetRawText().ShouldBe("""{"aB":1}""");
        (await _client.GetAsync($"/api/threads/{Thread}", Token).ShouldBe(200)).GetProperty("title").ValueKind.ShouldBe(JsonValueKind.Null);
        await _client.PostAsync("/api/threads", JsonText.Content("{}"), Token).ShouldBeError(422, "VALIDATION_ERROR", "agentId");
        await _client.PostAsync("/api/threads", JsonText.Content($$"""{"agentId":"{{Thread}}"}"""), Token).ShouldBeError(404, "NOT_FOUND");
        (await _client.PatchAsync($"/api/threads/{Thread}", JsonText.Content("""{"title":"New","activeProfile":"p"}"""), Token).ShouldBe(200)).GetProperty("active_profile").GetString().ShouldBe("p");
        await _client.PatchAsync($"/api/threads/{Agent}", JsonText.Content("{}"), Token).ShouldBeError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Lists_and_small_commands_have_their_shapes()
    {
        (await _client.GetAsync($"/api/threads?agentId={Agent}", Token).ShouldBe(200)).GetProperty("threads").GetArrayLength().ShouldBe(1);
        await _client.GetAsync("/api/threads", Token).ShouldBeError(422, "VALIDATION_ERROR", "agentId");
        await _client.GetAsync($"/api/threads?agentId={Thread}", Token).ShouldBeError(404, "NOT_FOUND");
        var messages = await _client.GetAsync($"/api/threads/{Thread}/messages", Token).ShouldBe(200);
        messages.GetProperty("total").GetInt32().ShouldBe(2);
        var answer = messages.GetProperty("messages")[1].GetProperty("id").GetString();
        (await _client.GetAsync($"/api/threads/{Thread}/messages/{answer}/sources", Token).ShouldBe(200)).GetProperty("sources").GetArrayLength().ShouldBe(0);
        (await _client.GetAsync($"/api/threads/{Thread}/participants", Token).ShouldBe(200)).GetArrayLength().ShouldBe(0);
        (await _client.PostAsync($"/api/threads/{Thread}/stop", null, Token).ShouldBe(200)).GetRawText().ShouldBe("""{"ok":true}""");
    }

    [Fact]
    public async Task A_message_streams_meta_tokens_and_done_with_the_sign_up_link()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/threads/{Thread}/messages") { Content = JsonText.Content("""{"content":"Hello","tools":[{"name":"x"}]}""") };
        using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        response.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream; charset=utf-8");
        (response.Headers.NonValidated["Cache-Control"].ToString(), response.Header("X-Accel-Buffering"), response.Header("Connection")).ShouldBe(("no-cache, no-transform", "no", "keep-alive"));
        var events = new List<ServerEvent>();
        await foreach (var @event in ServerEvent.ReadAsync(response, Token)) events.Add(@event);
        events[0].Event.ShouldBe("meta");
        events[^1].Event.ShouldBe("done");
        var tokens = events[1..^1];
        tokens.Count.ShouldBeGreaterThanOrEqualTo(2);
        tokens.ShouldAllBe(e => e.Event == "token");
        events.Select(e => e.Id).ShouldBe(Enumerable.Range(1, events.Count).Select(i => $"{events[0].Data.GetProperty("turnId").GetString()}:{i}"));
        var content = events[^1].Data.GetProperty("content").GetString()!;
        content.ShouldBe(string.Concat(tokens.Select(t => t.Data.GetProperty("delta").GetString())));
        content.ShouldContain("demo");
        content.ShouldContain("https://flapjack.example.com/signup");
    }

    [Fact]
    public async Task A_message_can_be_answered_in_one_piece_and_must_say_something()
    {
        (await Post("""{"content":"x","stream":false}""").ShouldBe(200)).GetProperty("finishReason").GetString().ShouldBe("stop");
        await Post("""{"content":" "}""").ShouldBeError(422, "VALIDATION_ERROR", "content");
        await Post("""{"content":5}""").ShouldBeError(400, "INVALID_REQUEST");
        await Post("{").ShouldBeError(400, "INVALID_JSON");
        await _client.PostAsync($"/api/threads/{Agent}/messages", JsonText.Content("""{"content":"x"}"""), Token).ShouldBeError(404, "NOT_FOUND");
    }

    private Task<HttpResponseMessage> Post(string body) => _client.PostAsync($"/api/threads/{Thread}/messages", JsonText.Content(body), Token);

    private void Map(string method, string path, Func<HttpContext, Task<IResult>> answer) =>
        _app.MapMethods(path, [method], new RequestDelegate(async context => await (await answer(context)).ExecuteAsync(context)));
}
