using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Platform;

/// <summary>What a repeat with the same <c>Idempotency-Key</c> gets, seen at <c>POST /api/agents</c>.</summary>
public sealed class IdempotencyTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly string _key = Guid.CreateVersion7().ToString();

    [Fact]
    public async Task A_repeat_gets_the_first_answer_again_and_executes_nothing()
    {
        using var first = await Post(_key, "{\"name\":\"once\"}");
        using var again = await Post(_key, "{\"name\":\"once\"}");
        var (one, two) = (await first.ShouldBeAsync(201), await again.ShouldBeAsync(201));
        two.ToString().ShouldBe(one.ToString());
        first.Header("Idempotency-Replayed").ShouldBeNull();
        again.Header("Idempotency-Replayed").ShouldBe("true");
        again.Header("Location").ShouldNotBeNull().ShouldBe(first.Header("Location"));
        again.Header("Content-Type").ShouldBe(first.Header("Content-Type"));
        (await AgentsNamed("once")).ShouldBe(1);
    }

    [Fact]
    public async Task Requests_at_once_execute_one()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Post(_key, "{\"name\":\"crowd\"}")));
        foreach (var answer in answers)
        {
            if ((int)answer.StatusCode == 409) await answer.ShouldBeErrorAsync(409, "IDEMPOTENCY_IN_PROGRESS");
            else await answer.ShouldBeAsync(201);
            answer.Dispose();
        }
        (await AgentsNamed("crowd")).ShouldBe(1);
    }

    [Fact]
    public async Task Another_body_is_a_mismatch()
    {
        await Post(_key, "{\"name\":\"a\"}").ShouldBe(201);
        await Post(_key, "{\"name\":\"b\"}").ShouldBeError(422, "IDEMPOTENCY_MISMATCH");
    }

    [Fact]
    public async Task A_refusal_of_the_handler_is_an_answer()
    {
        await Post(_key, "{}").ShouldBeError(422, "VALIDATION_ERROR", "name");
        using var again = await Post(_key, "{}");
        await again.ShouldBeAsync(422);
        again.Header("Idempotency-Replayed").ShouldBe("true");
    }

    [Fact]
    public async Task Refusals_before_the_handler_are_not_kept()
    {
        using var request = Request(_key, "{\"name\":\"a\"}");
        using var stranger = await server.Anonymous.SendAsync(request, Token);
        await stranger.ShouldBeErrorAsync(401, "UNAUTHORIZED");
        using var answer = await Post(_key, "{\"name\":\"a\"}");
        await answer.ShouldBeAsync(201);
        answer.Header("Idempotency-Replayed").ShouldBeNull();
    }

    [Fact]
    public async Task Keys_of_one_path_say_nothing_about_another()
    {
        var agent = await server.CreateAgentAsync();
        await Post(_key, "{\"name\":\"a\"}").ShouldBe(201);
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"/api/agents/{agent}") { Content = JsonText.Content("{\"name\":\"b\"}") };
        request.Headers.Add("Idempotency-Key", _key);
        (await server.Client.SendAsync(request, Token).ShouldBe(200)).GetProperty("name").GetString().ShouldBe("b");
    }

    [Theory]
    [InlineData(255, 201)]
    [InlineData(256, 422)]
    public async Task A_key_has_at_most_255_characters(int length, int status) => await Post(_key.PadRight(length, 'k'), "{\"name\":\"a\"}").ShouldBe(status);

    [Fact]
    public async Task Answers_expire_after_a_day_and_are_swept()
    {
        await using var own = await ServerFixture.StartAsync();
        await own.Client.SendAsync(Request(_key, "{\"name\":\"a\"}"), Token).ShouldBe(201);
        own.Time.Advance(TimeSpan.FromHours(23));
        using (var kept = await own.Client.SendAsync(Request(_key, "{\"name\":\"a\"}"), Token)) kept.Header("Idempotency-Replayed").ShouldBe("true");
        own.Time.Advance(TimeSpan.FromHours(1.1));
        using (var fresh = await own.Client.SendAsync(Request(_key, "{\"name\":\"a\"}"), Token)) fresh.Header("Idempotency-Replayed").ShouldBeNull();
    }

    [Fact]
    public async Task An_answer_survives_a_restart_and_is_not_readable_in_the_database()
    {
        await using var own = await ServerFixture.StartAsync();
        await own.Client.SendAsync(Request(_key, "{\"name\":\"kept secret\"}"), Token).ShouldBe(201);
        await own.RestartAsync();
        using var again = await own.Client.SendAsync(Request(_key, "{\"name\":\"kept secret\"}"), Token);
        again.Header("Idempotency-Replayed").ShouldBe("true");
        await using var db = own.Services.GetRequiredService<Databases>().OpenForServer();
        var record = await db.IdempotencyRecords.IgnoreQueryFilters().SingleAsync(Token);
        System.Text.Encoding.UTF8.GetString(record.Body!).ShouldNotContain("kept secret");
    }

    [Fact]
    public async Task A_claim_of_a_running_request_is_409_until_it_is_abandoned()
    {
        await using var own = await ServerFixture.StartAsync();
        await own.Client.SendAsync(Request(_key, "{\"name\":\"a\"}"), Token).ShouldBe(201);
        // The node died between claim and answer.
        await using (var db = own.Services.GetRequiredService<Databases>().OpenForServer())
        {
            await db.IdempotencyRecords.IgnoreQueryFilters().ExecuteUpdateAsync(r => r.SetProperty(x => x.Status, (int?)null).SetProperty(x => x.Body, (byte[]?)null), Token);
        }
        await own.Client.SendAsync(Request(_key, "{\"name\":\"a\"}"), Token).ShouldBeError(409, "IDEMPOTENCY_IN_PROGRESS");
        own.Time.Advance(IdempotencyStore.Abandoned + TimeSpan.FromSeconds(1));
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => own.Client.SendAsync(Request(_key, "{\"name\":\"a\"}"), Token)));
        answers.Count(a => (int)a.StatusCode == 201 && a.Header("Idempotency-Replayed") is null).ShouldBe(1);
    }

    [Fact]
    public async Task A_claim_that_is_renewed_is_nobody_elses()
    {
        await using var own = await ServerFixture.StartAsync();
        var store = own.Services.GetRequiredService<IdempotencyStore>();
        var claim = (await store.ClaimAsync(Guid.Empty, "a scope", "a body", Token))!;
        for (var minute = 0; minute < 12; minute += 4)
        {
            own.Time.Advance(TimeSpan.FromMinutes(4));
            await store.RenewAsync(claim);
            (await store.TakeOverAsync((await store.FindAsync("a scope", Token))!, Token)).ShouldBeNull();
        }
        own.Time.Advance(IdempotencyStore.Abandoned + TimeSpan.FromSeconds(1));
        (await store.TakeOverAsync((await store.FindAsync("a scope", Token))!, Token)).ShouldNotBeNull();
    }

    [Fact]
    public void An_answer_is_kept_with_its_headers()
    {
        var headers = KeptAnswer.HeadersOf(new HeaderDictionary { ["X-Flapjack-Thread"] = "t", ["X-Request-Id"] = "r" });
        var kept = KeptAnswer.Unpack(200, "application/json", new KeptAnswer(200, "application/json", headers, [1, 2]).Pack());
        kept.Headers.ShouldBe(new Dictionary<string, string> { ["X-Flapjack-Thread"] = "t" });
        kept.Body.ShouldBe([1, 2]);
        // As the version before wrote it: the location alone.
        KeptAnswer.Unpack(201, null, [0, 2, .. "/x"u8, 3]).Headers["Location"].ShouldBe("/x");
    }

    private async Task<int> AgentsNamed(string name)
    {
        var agents = await server.Client.GetAsync("/api/agents", Token).ShouldBe(200);
        return agents.EnumerateArray().Count(a => a.GetProperty("name").GetString() == name);
    }

    private Task<HttpResponseMessage> Post(string key, string body) => server.Client.SendAsync(Request(key, body), Token);

    private static HttpRequestMessage Request(string key, string body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/agents") { Content = JsonText.Content(body) };
        request.Headers.Add("Idempotency-Key", key);
        return request;
    }
}
