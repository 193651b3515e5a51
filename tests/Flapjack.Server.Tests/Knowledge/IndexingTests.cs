using Flapjack.Server.Knowledge;
using Flapjack.Server.Knowledge.Indexing;
using Flapjack.Server.Knowledge.Intake;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Signals;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Knowledge;

/// <summary>What happens to documents in the background: addresses fetched again, embedding models that change or fail, nodes that die.</summary>
public sealed class IndexingTests
{
    private const string Sea = "The lighthouse was built in 1871.", Land = "The mill grinds at night.";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_address_becomes_a_document_and_is_fetched_again_when_it_is_due()
    {
        await using var web = await FakeWeb.StartAsync();
        await using var world = await WorldAsync(web, embeds: false);
        var client = world.Server.Client;
        var agent = await world.Server.CreateAgentAsync();
        var url = new Uri(web.Address, "/page.md").ToString();
        var added = await world.PostAsync("/api/knowledge/url", new { url, scopeType = "agent", scopeId = agent, refreshHours = 2, metadata = new { from = "web" } }).ShouldBe(201);
        var id = added.Text("id");
        var document = await client.DocumentAsync(id);
        (document.Text("status"), document.Text("source_ref"), document.GetProperty("refresh_hours").GetInt32()).ShouldBe(("ready", url, 2));
        (await client.FindAsync(new { query = "lighthouse", agentId = agent })).Count.ShouldBe(1);

        web.Page = "# Home\n\nThe windmill stands on the hill.";
        await RoundAsync(world);
        web.PageReads.ShouldBe(1);
        world.Server.Time.Advance(TimeSpan.FromHours(2));
        await RoundAsync(world);
        await client.DocumentWhenAsync(id, d => d.GetProperty("last_fetched_at").GetDateTime() > document.GetProperty("last_fetched_at").GetDateTime() && d.Text("sha256") != document.Text("sha256"));
        await Until(async () => (await client.FindAsync(new { query = "windmill", agentId = agent })).Count == 1);
        (await client.FindAsync(new { query = "lighthouse", agentId = agent })).ShouldBeEmpty();

        // What cannot be fetched stays as it was last seen.
        web.Page = null;
        world.Server.Time.Advance(TimeSpan.FromHours(2));
        // A round passes over documents whose last reading is not quite put away.
        await Until(async () =>
        {
            await RoundAsync(world);
            return (await client.DocumentAsync(id)).GetProperty("error").ValueKind != System.Text.Json.JsonValueKind.Null;
        });
        (await client.DocumentAsync(id)).Text("error").ShouldBe("FETCH_FAILED");
        (await client.FindAsync(new { query = "windmill", agentId = agent })).Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_address_that_answers_badly_is_502_and_a_forbidden_one_422()
    {
        await using var web = await FakeWeb.StartAsync();
        await using var world = await WorldAsync(web, embeds: false);
        var agent = await world.Server.CreateAgentAsync();
        await world.PostAsync("/api/knowledge/url", new { url = new Uri(web.Address, "/nothing"), scopeType = "agent", scopeId = agent }).ShouldBeError(502, "UPSTREAM_ERROR");
        await world.PostAsync("/api/knowledge/url", new { url = "http://10.0.0.1/x", scopeType = "agent", scopeId = agent }).ShouldBeError(422, "VALIDATION_ERROR", "url");
        await world.PostAsync("/api/knowledge/url", new { url = "ftp://example.com/x", scopeType = "agent", scopeId = agent }).ShouldBeError(422, "VALIDATION_ERROR", "url");
        await world.PostAsync("/api/knowledge/url", new { url = new Uri(web.Address, "/page.md"), scopeType = "agent", scopeId = agent, refreshHours = 0 }).ShouldBeError(422, "VALIDATION_ERROR", "refreshHours");
    }

    [Fact]
    public async Task A_provider_of_embeddings_is_asked_in_its_protocol_and_meaning_is_found()
    {
        await using var web = await FakeWeb.StartAsync();
        await using var world = await WorldAsync(web);
        var client = world.Server.Client;
        var agent = await world.Server.CreateAgentAsync();
        await client.AddDocumentAsync("agent", agent, Sea, "sea");
        await client.AddDocumentAsync("agent", agent, Land, "land");
        web.Asked[0].ShouldBe(("embed-1", 1, "Bearer sk-embed"));
        var answer = await client.SearchAsync(new { query = "beacon", agentId = agent, mode = "vector", minScore = 0.5 }).ShouldBe(200);
        answer.Text("mode").ShouldBe("vector");
        answer.GetProperty("results").EnumerateArray().Select(r => r.Text("title")).ShouldBe(["sea"]);
        (await client.SearchAsync(new { query = "beacon", agentId = agent }).ShouldBe(200)).Text("mode").ShouldBe("hybrid");
        (await client.FindAsync(new { query = "beacon", agentId = agent, mode = "lexical" })).ShouldBeEmpty();
        (await client.FindAsync(new { query = "beacon mill", agentId = agent, mode = "hybrid" })).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_question_that_cannot_be_embedded_is_searched_by_words_and_the_trace_says_so()
    {
        await using var web = await FakeWeb.StartAsync();
        await using var world = await WorldAsync(web);
        var thread = await world.OpenAsync();
        await world.Server.Client.AddDocumentAsync("thread", thread, Sea, "sea");
        web.EmbeddingStatus = 401;
        var answer = await world.Server.Client.SearchAsync(new { query = "lighthouse", threadId = thread }).ShouldBe(200);
        (answer.Text("mode"), answer.GetProperty("results").GetArrayLength()).ShouldBe(("lexical", 1));
        (await world.Server.AskAsync(thread, "When was the lighthouse built?"))[^1].Data.Text("content").ShouldContain("1871");
        var spans = (await world.TraceAsync(thread)).GetProperty("spans").EnumerateArray().ToList();
        var chain = spans.Single(s => s.Text("kind") == "chain");
        var embedding = spans.Single(s => s.Text("kind") == "embedding");
        (embedding.Text("status"), embedding.Text("error"), embedding.Text("parent_span_id")).ShouldBe(("error", "MODEL_AUTH_FAILED", chain.Text("id")));
        (chain.Text("name"), chain.Text("status")).ShouldBe(("knowledge", "ok"));
    }

    [Fact]
    public async Task A_document_that_cannot_be_embedded_waits_in_error_for_another_try()
    {
        await using var web = await FakeWeb.StartAsync();
        await using var world = await WorldAsync(web);
        var client = world.Server.Client;
        var agent = await world.Server.CreateAgentAsync();
        web.EmbeddingStatus = 401;
        var added = await client.AddDocumentAsync("agent", agent, Sea, "sea");
        added.Text("status").ShouldBe("error");
        (await client.DocumentAsync(added.Text("id"))).Text("error").ShouldBe("EMBEDDING_FAILED");
        (await client.FindAsync(new { query = "lighthouse", agentId = agent, mode = "lexical" })).ShouldBeEmpty();
        web.EmbeddingStatus = 200;
        (await client.PostAsync($"/api/knowledge/{added.Text("id")}/reindex", null, Token).ShouldBe(200)).Text("status").ShouldBe("processing");
        (await client.DocumentWhenAsync(added.Text("id"), d => d.Text("status") != "processing")).Text("status").ShouldBe("ready");
        (await client.FindAsync(new { query = "beacon", agentId = agent, mode = "vector" })).ShouldBe(["sea"]);
    }

    [Fact]
    public async Task A_document_whose_sender_goes_away_is_read_all_the_same()
    {
        await using var web = await FakeWeb.StartAsync();
        await using var world = await WorldAsync(web);
        var agent = await world.Server.CreateAgentAsync();
        var open = new TaskCompletionSource();
        web.Gate = open.Task;
        using (var impatient = CancellationTokenSource.CreateLinkedTokenSource(Token))
        {
            var form = new MultipartFormDataContent
            {
                { new StringContent("sea"), "title" }, { new StringContent("agent"), "scopeType" }, { new StringContent(agent.ToString()), "scopeId" }, { new StringContent(Sea), "file", "sea.txt" },
            };
            var adding = world.Server.Client.PostAsync("/api/knowledge/upload", form, impatient.Token);
            await Until(() => Task.FromResult(web.Asked.Count == 1));
            await impatient.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(() => adding);
        }
        // A restart waits for the request to end, and gives the work back.
        await world.Server.RestartAsync();
        open.SetResult();
        await Until(async () => (await world.Server.Client.FindAsync(new { query = "beacon", agentId = agent, mode = "vector" })).Count == 1);
    }

    [Fact]
    public async Task Bytes_that_became_a_document_are_not_dropped()
    {
        await using var world = await TurnWorld.StartAsync();
        var agent = await world.Server.CreateAgentAsync();
        var id = (await world.Server.Client.AddDocumentAsync("agent", agent, Sea, "sea")).Text("id");
        // As an intake does that was not told that the document is queued.
        var intake = world.Server.Services.GetRequiredService<DocumentIntake>();
        await intake.DropAsync(new(Guid.Parse(id), await world.Server.OrgIdAsync(), Sea.Length, "", "text/markdown"));
        (await world.Server.Client.FindAsync(new { query = "lighthouse", agentId = agent })).ShouldBe(["sea"]);
        (await world.Server.Client.GetByteArrayAsync($"/api/knowledge/{id}/content", Token)).Length.ShouldBe(Sea.Length);
    }

    [Fact]
    public async Task Only_work_that_somebody_does_keeps_its_lease()
    {
        await using var web = await FakeWeb.StartAsync();
        await using var world = await WorldAsync(web);
        var client = world.Server.Client;
        var agent = await world.Server.CreateAgentAsync();
        var queue = world.Server.Services.GetRequiredService<IndexQueue>();
        var left = Guid.Parse((await client.AddDocumentAsync("agent", agent, Land, "land")).Text("id"));
        var open = new TaskCompletionSource();
        web.Gate = open.Task;
        var adding = client.AddDocumentAsync("agent", agent, Sea, "sea");
        await Until(() => Task.FromResult(web.Asked.Count == 2));
        await using var db = world.Server.Database();
        var documents = db.Documents.IgnoreQueryFilters();
        var held = await documents.Where(d => d.Id != left).Select(d => new { d.Id, d.Node }).SingleAsync(Token);
        var later = new DateTime(2099, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        // As a node leaves it whose database was away when it gave the work back.
        await documents.Where(d => d.Id == left).ExecuteUpdateAsync(rows => rows.SetProperty(d => d.Work, DocumentWork.Index).SetProperty(d => d.Status, DocumentStatuses.Processing)
            .SetProperty(d => d.Node, held.Node).SetProperty(d => d.QueuedAt, world.Server.Time.GetUtcNow().UtcDateTime), Token);
        await documents.ExecuteUpdateAsync(rows => rows.SetProperty(d => d.LeaseUntil, later), Token);
        await queue.RenewAsync();
        (await documents.Where(d => d.Id == left).Select(d => d.LeaseUntil).SingleAsync(Token)).ShouldBe(later);
        (await documents.Where(d => d.Id == held.Id).Select(d => d.LeaseUntil).SingleAsync(Token)).ShouldNotBeNull().ShouldBeLessThan(later);
        open.SetResult();
        (await adding).Text("status").ShouldBe("ready");
        await documents.Where(d => d.Id == left).ExecuteUpdateAsync(rows => rows.SetProperty(d => d.LeaseUntil, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc)), Token);
        queue.Wake();
        await client.DocumentWhenAsync(left.ToString(), d => d.Text("status") == "ready");
    }

    // A wait whose time is up used to stay in line a moment longer, and a wake in that moment woke nobody.
    [Fact]
    public async Task A_wake_after_a_wait_without_one_is_for_the_next_wait()
    {
        await using var world = await TurnWorld.StartAsync();
        using var queue = ActivatorUtilities.CreateInstance<IndexQueue>(world.Server.Services, ActivatorUtilities.CreateInstance<InProcessSignals>(world.Server.Services, ActivatorUtilities.CreateInstance<SignalHandlers>(world.Server.Services)));
        var time = new ManualTime();
        for (var i = 0; i < 2_000; i++)
        {
            var idle = queue.WaitForWorkAsync(TimeSpan.FromSeconds(5), time, Token);
            time.Advance(TimeSpan.FromSeconds(5));
            await idle;
            queue.Wake();
            await queue.WaitForWorkAsync(TimeSpan.FromSeconds(5), time, Token).WaitAsync(TimeSpan.FromSeconds(20), Token);
        }
    }

    [Fact]
    public async Task A_reading_that_ended_erases_nothing_of_the_next()
    {
        await using var world = await TurnWorld.StartAsync();
        var agent = await world.Server.CreateAgentAsync();
        var id = Guid.Parse((await world.Server.Client.AddDocumentAsync("agent", agent, Sea, "sea")).Text("id"));
        await using var db = world.Server.Database();
        var document = await db.Documents.IgnoreQueryFilters().AsNoTracking().SingleAsync(d => d.Id == id, Token);
        await db.Documents.IgnoreQueryFilters().ExecuteUpdateAsync(rows => rows.SetProperty(d => d.Claim, d => d.Claim + 1), Token);
        var next = (await world.Server.Services.GetRequiredService<IWriter>().WriteAsync([IndexSql.Begin(id)], Token)).Returned!.Value;
        var readings = world.Server.Services.GetRequiredService<DocumentRows>();
        await readings.EraseOlderAsync(id, document.Revision!.Value);
        await Should.ThrowAsync<WorkLostException>(() => readings.EraseFailedAsync(document));
        (await db.Set<DocumentRevision>().Select(r => r.Number).ToListAsync(Token)).ShouldBe([document.Revision.Value, next], ignoreOrder: true);
        await readings.EraseOlderAsync(id, next);
        (await db.Set<DocumentRevision>().Select(r => r.Number).ToListAsync(Token)).ShouldBe([next]);
    }

    [Fact]
    public async Task An_address_is_read_as_what_it_answers_in_the_character_set_it_names()
    {
        await using var web = await FakeWeb.StartAsync();
        await using var world = await WorldAsync(web, embeds: false);
        var client = world.Server.Client;
        var agent = await world.Server.CreateAgentAsync();
        web.PageType = "text/markdown; charset=windows-1251";
        // "маяк", a lighthouse, after a heading.
        web.PageBytes = [.. "# Sea\n\nA <beam>, B\n\n"u8, 0xEC, 0xE0, 0xFF, 0xEA];
        var id = (await world.PostAsync("/api/knowledge/url", new { url = new Uri(web.Address, "/page.md?f=a.csv"), scopeType = "agent", scopeId = agent }).ShouldBe(201)).Text("id");
        (await client.DocumentAsync(id)).Text("media_type").ShouldBe("text/markdown");
        (await client.FindAsync(new { query = "маяк", agentId = agent })).Count.ShouldBe(1);

        // Another answer, another type: "мель" in another character set.
        web.PageType = "text/html; charset=koi8-r";
        web.PageBytes = [.. "<p>A sand bank is a "u8, 0xCD, 0xC5, 0xCC, 0xD8, .. "</p>"u8];
        await client.PostAsync($"/api/knowledge/{id}/reindex", null, Token).ShouldBe(200);
        (await client.DocumentWhenAsync(id, d => d.Text("status") != "processing")).Text("media_type").ShouldBe("text/html");
        (await client.FindAsync(new { query = "мель", agentId = agent })).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_slow_document_is_answered_after_thirty_seconds_and_goes_on()
    {
        await using var web = await FakeWeb.StartAsync();
        await using var world = await WorldAsync(web);
        var client = world.Server.Client;
        var agent = await world.Server.CreateAgentAsync();
        var open = new TaskCompletionSource();
        web.Gate = open.Task;
        var adding = client.AddDocumentAsync("agent", agent, Sea, "sea");
        await Until(() => Task.FromResult(web.Asked.Count == 1));
        await world.Server.Time.ArmedAsync(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30)).WaitAsync(TimeSpan.FromSeconds(30), Token);
        world.Server.Time.Advance(TimeSpan.FromSeconds(30));
        var added = await adding;
        (added.GetProperty("chunks").GetInt32(), added.Text("status")).ShouldBe((0, "processing"));
        open.SetResult();
        (await client.DocumentWhenAsync(added.Text("id"), d => d.Text("status") == "ready")).GetProperty("chunk_count").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Async_uploads_are_answered_before_they_are_read()
    {
        await using var web = await FakeWeb.StartAsync();
        await using var world = await WorldAsync(web);
        var open = new TaskCompletionSource();
        web.Gate = open.Task;
        var agent = await world.Server.CreateAgentAsync();
        var added = await world.Server.Client.UploadDocumentAsync("text"u8.ToArray(), "a.txt", ("title", "T"), ("scopeType", "agent"), ("scopeId", agent.ToString()), ("async", "true")).ShouldBe(201);
        added.Text("status").ShouldBe("processing");
        open.SetResult();
        await world.Server.Client.DocumentWhenAsync(added.Text("id"), d => d.Text("status") == "ready");
    }

    [Fact]
    public async Task Work_that_a_crash_broke_off_is_done_after_the_restart()
    {
        await using var world = await TurnWorld.StartAsync();
        var agent = await world.Server.CreateAgentAsync();
        var added = await world.Server.Client.AddDocumentAsync("agent", agent, Sea, "sea");
        // As a node leaves it that dies in the middle: the work is its own, half a revision is written.
        await using (var db = world.Server.Database())
        {
            var id = Guid.Parse(added.Text("id"));
            await db.Documents.IgnoreQueryFilters().Where(d => d.Id == id).ExecuteUpdateAsync(rows => rows.SetProperty(d => d.Work, DocumentWork.Index).SetProperty(d => d.Status, DocumentStatuses.Processing)
                .SetProperty(d => d.Node, "dead").SetProperty(d => d.QueuedAt, world.Server.Time.GetUtcNow().UtcDateTime).SetProperty(d => d.LeaseUntil, world.Server.Time.GetUtcNow().UtcDateTime.AddYears(-1)).SetProperty(d => d.Attempts, 1), Token);
            await world.Server.Services.GetRequiredService<IWriter>().WriteAsync([IndexSql.Begin(id)], Token);
        }
        await world.Server.RestartAsync();
        (await world.Server.Client.DocumentWhenAsync(added.Text("id"), d => d.Text("status") == "ready")).GetProperty("chunk_count").GetInt32().ShouldBe(1);
        (await world.Server.Client.FindAsync(new { query = "lighthouse", agentId = agent })).ShouldBe(["sea"]);
        await Until(async () =>
        {
            await using var after = world.Server.Database();
            return await after.Set<DocumentRevision>().CountAsync(Token) == 1;
        });
        await using var scopes = world.Server.Database();
        (await scopes.KnowledgeScopes.IgnoreQueryFilters().SingleAsync(Token)).Chunks.ShouldBe(1);
    }

    [Fact]
    public async Task A_document_that_brings_its_readers_down_is_given_up()
    {
        await using var world = await TurnWorld.StartAsync();
        var agent = await world.Server.CreateAgentAsync();
        var added = await world.Server.Client.AddDocumentAsync("agent", agent, Sea, "sea");
        await using (var db = world.Server.Database())
        {
            await db.Documents.IgnoreQueryFilters().ExecuteUpdateAsync(rows => rows.SetProperty(d => d.Work, DocumentWork.Index).SetProperty(d => d.Status, DocumentStatuses.Processing)
                .SetProperty(d => d.QueuedAt, world.Server.Time.GetUtcNow().UtcDateTime).SetProperty(d => d.Attempts, 3), Token);
        }
        await world.Server.RestartAsync();
        (await world.Server.Client.DocumentWhenAsync(added.Text("id"), d => d.Text("status") == "error")).Text("error").ShouldBe("TOO_COMPLEX");
    }

    [Fact]
    public async Task What_a_crash_left_of_deleted_documents_and_uploads_is_cleared_away()
    {
        await using var world = await TurnWorld.StartAsync();
        var agent = await world.Server.CreateAgentAsync();
        await world.Server.Client.AddDocumentAsync("agent", agent, Sea, "sea");
        var writer = world.Server.Services.GetRequiredService<IWriter>();
        var org = await world.Server.OrgIdAsync();
        await writer.WriteAsync([DocumentSql.Begin(Guid.CreateVersion7(), org, world.Server.Time.GetUtcNow().UtcDateTime.AddHours(-2))], Token);
        await world.Server.Client.DeleteAsync($"/api/agents/{agent}", Token).ShouldBe(200);
        await RoundAsync(world);
        await using var db = world.Server.Database();
        (await db.Documents.IgnoreQueryFilters().CountAsync(Token)).ShouldBe(0);
        (await db.DocumentChunks.CountAsync(Token)).ShouldBe(0);
        (await db.KnowledgeScopes.IgnoreQueryFilters().CountAsync(Token)).ShouldBe(0);
    }

    private static Task<TurnWorld> WorldAsync(FakeWeb web, bool embeds = true) => TurnWorld.StartAsync(settings =>
    {
        settings["Network:AllowedHosts:0"] = "loopback";
        settings["Providers:sea:BaseUrl"] = new Uri(web.Address, "/v1").ToString();
        settings["Providers:sea:ApiKey"] = "sk-embed";
        if (embeds) settings["Knowledge:EmbeddingModel"] = "sea/embed-1";
    });

    private static Task RoundAsync(TurnWorld world)
    {
        var rounds = world.Server.Services.GetRequiredService<HousekeepingRounds>();
        return rounds.RunAsync(rounds.Tasks.Single(t => t.Name == "knowledge"), Token);
    }

    private static async Task Until(Func<Task<bool>> isSo)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        while (!await isSo())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Delay(5, Token);
        }
    }
}
