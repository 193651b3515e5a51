using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.PublicChat;

public sealed class PublicChatTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private readonly ChatWorld _chats = new(world);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stranger_reads_what_the_page_shows_and_talks_to_the_agent()
    {
        var (agent, slug) = await _chats.PublishAsync(new { title = "Billing help", welcomeMessage = "Hi", suggestedPrompts = new[] { "Why?" } });
        var chat = await _chats.GetAsync(slug).ShouldBe(200);
        (chat.Text("slug"), chat.Text("title"), chat.GetProperty("requires_session").GetBoolean(), chat.GetProperty("agent").Text("name")).ShouldBe((slug, "Billing help", false, "Ada"));
        (chat.Text("welcome_message"), chat.GetProperty("suggested_prompts")[0].GetString(), chat.GetProperty("allow_attachments").GetBoolean()).ShouldBe(("Hi", "Why?", false));

        var (thread, _) = await _chats.OpenAsync(slug);
        await using var stream = await _chats.SayAsync(slug, thread, new { content = "/echo hello" });
        var done = await stream.EndAsync();
        (done.Event, done.Data.Text("content")).ShouldBe(("done", "hello"));
        done.Data.TryGetProperty("usage", out _).ShouldBeFalse();

        var messages = await _chats.GetAsync($"{slug}/threads/{thread}/messages").ShouldBe(200);
        messages.GetProperty("total").GetInt64().ShouldBe(2);
        messages.GetProperty("messages")[1].EnumerateObject().Select(p => p.Name).ShouldBe(["id", "role", "content", "created_at", "stopped"], ignoreOrder: true);
        var trace = (await world.TraceAsync(thread)).GetProperty("trace");
        (trace.Text("name"), trace.GetProperty("tags")[0].GetString(), trace.Text("agent_id")).ShouldBe(("public-turn", "source:public", agent.ToString()));
        trace.Text("user_id").ShouldMatch($"^public:{slug}:[0-9a-f]{{16}}$");
    }

    [Fact]
    public async Task A_short_signing_secret_signs_sessions_too()
    {
        await using var own = await TurnWorld.StartAsync();
        using var owner = await own.Server.LoginOwnerAsync();
        const string secret = "24-characters-of-secret!";
        await owner.PostAsync($"/api/orgs/{await own.Server.FirstOrgAsync()}/signing-secret/rotate", JsonText.Content(JsonSerializer.Serialize(new { secret })), Token).ShouldBe(200);
        var chats = new ChatWorld(own);
        var (_, slug) = await chats.PublishAsync();
        var (thread, session) = await chats.OpenAsync(slug);
        await chats.GetAsync($"{slug}/threads/{thread}/messages", session).ShouldBe(200);
        var theirs = ChatWorld.TokenOf(secret, new { sub = "ada", slug, exp = chats.In(TimeSpan.FromHours(1)) });
        var (own2, _) = await chats.OpenAsync(slug, theirs);
        await chats.GetAsync($"{slug}/threads/{own2}/messages", theirs).ShouldBe(200);
    }

    [Fact]
    public async Task Tools_overrides_and_model_choice_have_no_effect()
    {
        var (_, slug) = await _chats.PublishAsync();
        var (thread, _) = await _chats.OpenAsync(slug);
        await using var stream = await _chats.SayAsync(slug, thread, new
        {
            content = "/tool mine {}", modelOverride = "no-such-model", systemPromptOverlay = "obey", stream = false, senderId = "somebody", tools = new[] { new { name = "mine", description = "x", parameters = new { type = "object" } } },
            toolResults = new[] { new { toolCallId = "c", result = "x" } }, toolProfile = "none", responseFormat = new { type = "json" }, attachments = new[] { new { type = "image", url = "http://127.0.0.1/x.png" } },
        });
        var end = await stream.EndAsync();
        end.Event.ShouldBe("done");
        stream.Seen[0].Data.Text("model").ShouldBe("flapjack-offline");
        (await world.MessagesAsync(thread))[0].GetProperty("sender_id").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Arguments_and_results_of_tools_are_shown_only_where_the_chat_says_so(bool exposed)
    {
        var (_, slug) = await _chats.PublishAsync(new { exposeToolDetails = exposed });
        var (thread, _) = await _chats.OpenAsync(slug);
        await using var stream = await _chats.SayAsync(slug, thread, new { content = "/tool weather {\"city\":\"Oslo\"}" }, key: $"tools-{exposed}");
        await stream.EndAsync();
        Check(stream);
        // The same on a repeat, from memory and from the rows.
        await using var again = await _chats.SayAsync(slug, thread, new { content = "/tool weather {\"city\":\"Oslo\"}" }, key: $"tools-{exposed}");
        again.Response.Header("Idempotency-Replayed").ShouldBe("true");
        await again.EndAsync();
        Check(again);
        again.Seen.Select(e => e.Data.ToString()).ShouldBe(stream.Seen.Select(e => e.Data.ToString()));

        void Check(EventStream events)
        {
            var call = events.Seen.Of("tool_call").Single().GetProperty("tool");
            (call.Text("name"), call.Text("arguments")).ShouldBe(("weather", exposed ? """{"city":"Oslo"}""" : "{}"));
            var result = events.Seen.Of("tool_result").Single();
            result.GetProperty("result").ValueKind.ShouldBe(exposed ? JsonValueKind.Object : JsonValueKind.Null);
            (result.GetProperty("is_error").GetBoolean(), result.Text("tool_name")).ShouldBe((false, "weather"));
            events.Seen[^1].Data.TryGetProperty("usage", out _).ShouldBeFalse();
        }
    }

    [Fact]
    public async Task A_failure_tells_its_code_and_neither_reason_nor_usage()
    {
        var (_, slug) = await _chats.PublishAsync();
        var (thread, _) = await _chats.OpenAsync(slug);
        await using var stream = await _chats.SayAsync(slug, thread, new { content = "/fail 401" });
        var error = await stream.EndAsync();
        error.Data.EnumerateObject().Select(p => p.Name).ShouldBe(["code"]);
        error.Data.Text("code").ShouldBe("MODEL_AUTH_FAILED");
    }

    [Fact]
    public async Task A_thread_opened_with_a_session_needs_it_and_a_thread_opened_without_belongs_to_whoever_knows_it()
    {
        var (_, slug) = await _chats.PublishAsync();
        var (open, session) = await _chats.OpenAsync(slug);
        await _chats.GetAsync($"{slug}/threads/{open}/messages", "rubbish").ShouldBe(200);
        var (bound, renewed) = await _chats.OpenAsync(slug, session);
        var (_, other) = await _chats.OpenAsync(slug);
        var path = $"{slug}/threads/{bound}/messages";
        await _chats.GetAsync(path, renewed).ShouldBe(200);
        await _chats.GetAsync(path).ShouldBeError(401, "UNAUTHORIZED");
        await _chats.GetAsync(path, session + "x").ShouldBeError(401, "UNAUTHORIZED");
        await _chats.GetAsync(path, other).ShouldBeError(404, "NOT_FOUND");
        await _chats.PostAsync(path, new { content = "hi" }, other).ShouldBeError(404, "NOT_FOUND");
        await _chats.PostAsync($"{slug}/threads/{bound}/stop", null, other).ShouldBeError(404, "NOT_FOUND");
        await _chats.PostAsync($"{slug}/threads", new { }, "rubbish").ShouldBeError(401, "UNAUTHORIZED");
        world.Server.Time.Advance(TimeSpan.FromDays(31));
        await _chats.GetAsync(path, renewed).ShouldBeError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task A_private_chat_takes_tokens_that_the_organisations_application_signed()
    {
        var (_, slug) = await _chats.PublishAsync(new { visibility = "private" });
        var secret = await _chats.SecretAsync();
        (await _chats.GetAsync(slug).ShouldBe(200)).GetProperty("requires_session").GetBoolean().ShouldBeTrue();
        await _chats.PostAsync($"{slug}/threads", new { }).ShouldBeError(401, "UNAUTHORIZED");
        var hour = _chats.In(TimeSpan.FromHours(1));
        (string Why, string Token)[] wrong =
        [
            ("another secret", ChatWorld.TokenOf("another secret of 32 characters!", new { sub = "u1", slug, exp = hour })),
            ("no signature", ChatWorld.TokenOf(secret, new { sub = "u1", slug, exp = hour }, "none")),
            ("another algorithm", ChatWorld.TokenOf(secret, new { sub = "u1", slug, exp = hour }, "HS512")),
            ("another chat", ChatWorld.TokenOf(secret, new { sub = "u1", slug = "other", exp = hour })),
            ("no subject", ChatWorld.TokenOf(secret, new { slug, exp = hour })),
            ("no end", ChatWorld.TokenOf(secret, new { sub = "u1", slug })),
            ("too long", ChatWorld.TokenOf(secret, new { sub = "u1", slug, exp = _chats.In(TimeSpan.FromHours(25)) })),
            ("over", ChatWorld.TokenOf(secret, new { sub = "u1", slug, exp = _chats.In(TimeSpan.FromMinutes(-1)) })),
        ];
        foreach (var (why, token) in wrong)
        {
            using var refused = await _chats.PostAsync($"{slug}/threads", new { }, token);
            ((int)refused.StatusCode).ShouldBe(401, why);
        }
        var (mine, session) = await _chats.OpenAsync(slug, ChatWorld.TokenOf(secret, new { sub = "u1", slug, exp = hour }));
        await using (var stream = await _chats.SayAsync(slug, mine, new { content = "/echo in" }, session)) (await stream.EndAsync()).Data.Text("content").ShouldBe("in");
        (await world.TraceAsync(mine)).GetProperty("trace").Text("user_id").ShouldBe($"public:{slug}:u1");
        var stranger = ChatWorld.TokenOf(secret, new { sub = "u2", slug, exp = hour });
        await _chats.GetAsync($"{slug}/threads/{mine}/messages", stranger).ShouldBeError(404, "NOT_FOUND");
        await _chats.GetAsync($"{slug}/threads/{mine}/messages").ShouldBeError(401, "UNAUTHORIZED");
        // The server's own token ends with the application's.
        world.Server.Time.Advance(TimeSpan.FromHours(2));
        await _chats.GetAsync($"{slug}/threads/{mine}/messages", session).ShouldBeError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task Who_came_to_a_chat_while_it_was_public_stays_out_once_it_is_private()
    {
        var (agent, slug) = await _chats.PublishAsync();
        var (_, first) = await _chats.OpenAsync(slug);
        var (_, second) = await _chats.OpenAsync(slug, first);
        await world.Server.Client.PostAsync($"/api/agents/{agent}/publish", JsonText.Content($$"""{"slug":"{{slug}}","visibility":"private"}"""), Token).ShouldBe(200);
        foreach (var session in (string[])[first, second]) await _chats.PostAsync($"{slug}/threads", new { }, session).ShouldBeError(401, "UNAUTHORIZED");
    }

    [Fact]
    public async Task Only_listed_origins_may_use_a_chat_that_lists_some()
    {
        var (_, slug) = await _chats.PublishAsync(new { allowedOrigins = new[] { "https://www.example.com" } });
        using (var listed = await _chats.GetAsync(slug, origin: "https://www.example.com")) listed.Header("Access-Control-Allow-Origin").ShouldBe("https://www.example.com");
        foreach (var origin in (string[])["https://evil.example", "null"])
        {
            using var refused = await _chats.PostAsync($"{slug}/threads", new { }, origin: origin);
            await refused.ShouldBeErrorAsync(403, "FORBIDDEN");
            refused.Header("Access-Control-Allow-Origin").ShouldBeNull();
        }
        await _chats.GetAsync(slug, origin: world.Server.BaseAddress.GetLeftPart(UriPartial.Authority)).ShouldBe(200);
        await _chats.GetAsync(slug).ShouldBe(200);
    }

    [Fact]
    public async Task Unknown_ended_and_foreign_chats_and_threads_are_404()
    {
        var (agent, slug) = await _chats.PublishAsync();
        var (_, other) = await _chats.PublishAsync();
        var (thread, _) = await _chats.OpenAsync(slug);
        var own = await world.Server.CreateThreadAsync(agent);
        await _chats.GetAsync($"{other}/threads/{thread}/messages").ShouldBeError(404, "NOT_FOUND");
        await _chats.GetAsync($"{slug}/threads/{own}/messages").ShouldBeError(404, "NOT_FOUND");
        await _chats.PostAsync($"{slug}/threads/{own}/messages", new { content = "hi" }).ShouldBeError(404, "NOT_FOUND");
        await _chats.GetAsync("no-such-chat").ShouldBeError(404, "NOT_FOUND");
        await world.Server.Client.DeleteAsync($"/api/agents/{agent}/publish?slug={slug}", Token).ShouldBe(200);
        await _chats.GetAsync(slug).ShouldBeError(404, "NOT_FOUND");
        await _chats.GetAsync($"{slug}/threads/{thread}/messages").ShouldBeError(404, "NOT_FOUND");
        using var page = await world.Server.Anonymous.GetAsync($"/chat/{slug}", Token);
        ((int)page.StatusCode, page.Content.Headers.ContentType!.MediaType).ShouldBe((404, "text/html"));
    }

    [Fact]
    public async Task A_visitor_brings_content_and_names_no_file_of_the_organisation()
    {
        using var form = new MultipartFormDataContent { { new StringContent("secret"), "file", "secret.txt" } };
        var file = (await world.Server.Client.PostAsync("/api/files", form, Token).ShouldBe(201)).Text("id");
        var (_, slug) = await _chats.PublishAsync(new { allowAttachments = true });
        var (thread, _) = await _chats.OpenAsync(slug);
        var path = $"{slug}/threads/{thread}/messages";
        await _chats.PostAsync(path, new { content = "x", attachments = new[] { new { type = "file", fileId = file } } }).ShouldBeError(422, "VALIDATION_ERROR", "attachments[0].data");
        await _chats.PostAsync(path, new { content = "x", attachments = new[] { new { type = "file", url = "https://example.com/a.txt" } } }).ShouldBeError(422, "VALIDATION_ERROR", "attachments[0].data");
        await using var stream = await _chats.SayAsync(slug, thread, new { content = "/echo got it", attachments = new[] { new { type = "file", name = "note.txt", data = Convert.ToBase64String("words"u8) } } });
        (await stream.EndAsync()).Event.ShouldBe("done");
        var messages = await _chats.GetAsync(path).ShouldBe(200);
        messages.GetProperty("messages")[0].GetProperty("attachments")[0].Text("name").ShouldBe("note.txt");
    }

    [Fact]
    public async Task Stop_and_on_busy_work_as_in_other_threads()
    {
        var (_, slug) = await _chats.PublishAsync();
        var (thread, _) = await _chats.OpenAsync(slug);
        var hold = world.Tools.Hold("public-stop");
        await using var stream = await _chats.SayAsync(slug, thread, new { content = "/tool hold {\"key\":\"public-stop\"}", onDisconnect = "continue" });
        await hold.Entered;
        await _chats.PostAsync($"{slug}/threads/{thread}/messages", new { content = "hi" }).ShouldBeError(409, "THREAD_BUSY");
        (await _chats.PostAsync($"{slug}/threads/{thread}/stop", null).ShouldBe(200)).GetProperty("ok").GetBoolean().ShouldBeTrue();
        (await stream.EndAsync()).Data.GetProperty("stopped").GetBoolean().ShouldBeTrue();
        await _chats.PostAsync($"{slug}/threads/{thread}/messages", new { content = " " }).ShouldBeError(422, "VALIDATION_ERROR", "content");
    }

    [Fact]
    public async Task Two_visitors_who_choose_the_same_key_get_a_thread_each()
    {
        await using var behindProxy = await TurnWorld.StartAsync(settings => settings["Server:TrustedProxies:0"] = "127.0.0.0/8");
        var (_, slug) = await new ChatWorld(behindProxy).PublishAsync();
        var ids = new List<string>();
        foreach (var address in (string[])["203.0.113.1", "203.0.113.2", "203.0.113.1"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/public/chat/{slug}/threads") { Content = TurnWorld.Body(new { }) };
            request.Headers.Add("X-Forwarded-For", address);
            request.Headers.Add("Idempotency-Key", "1");
            ids.Add((await behindProxy.Server.Anonymous.SendAsync(request, Token).ShouldBe(200)).Text("id"));
        }
        ids[1].ShouldNotBe(ids[0]);
        ids[2].ShouldBe(ids[0]);
    }

    [Fact]
    public async Task A_deleted_thread_is_gone_for_its_visitor()
    {
        var (_, slug) = await _chats.PublishAsync();
        var (thread, _) = await _chats.OpenAsync(slug);
        await world.Server.Client.DeleteAsync($"/api/threads/{thread}", Token).ShouldBe(200);
        await _chats.GetAsync($"{slug}/threads/{thread}/messages").ShouldBeError(404, "NOT_FOUND");
    }
}
