using System.Security.Cryptography;
using System.Text;
using Flapjack.Server.Knowledge;
using Flapjack.Server.Knowledge.Indexing;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Knowledge;

/// <summary>Documents as clients send, read and delete them.</summary>
public sealed class DocumentTests(TurnWorld world) : IClassFixture<TurnWorld>
{
    private const string Policy = "# Refunds\n\nMoney comes back within 14 days of the return.";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private HttpClient Client => world.Server.Client;

    [Fact]
    public async Task An_uploaded_document_is_read_at_once_and_shows_everything()
    {
        var agent = await world.Server.CreateAgentAsync();
        var bytes = Encoding.UTF8.GetBytes(Policy);
        var added = await Client.UploadDocumentAsync(bytes, "../refunds.md", ("title", "Refunds"), ("scopeType", "agent"), ("scopeId", agent.ToString()), ("metadata", """{"lang":"en"}""")).ShouldBe(201);
        added.EnumerateObject().Select(p => p.Name).ShouldBe(["id", "title", "chunks", "status"]);
        (added.Text("title"), added.GetProperty("chunks").GetInt32(), added.Text("status")).ShouldBe(("Refunds", 1, "ready"));

        var list = await world.GetAsync($"/api/knowledge?scopeType=agent&scopeId={agent}");
        var document = list.EnumerateArray().ShouldHaveSingleItem();
        document.EnumerateObject().Select(p => p.Name).ShouldBe(
            ["id", "title", "source_ref", "chunk_count", "created_at", "scope_type", "scope_id", "status", "error", "media_type", "size_bytes", "sha256", "page_count", "metadata", "refresh_hours", "last_fetched_at", "updated_at"], ignoreOrder: true);
        (document.Text("source_ref"), document.Text("scope_type"), document.Text("scope_id"), document.Text("status")).ShouldBe(("refunds.md", "agent", agent.ToString(), "ready"));
        document.Text("sha256").ShouldBe(Convert.ToHexStringLower(SHA256.HashData(bytes)));
        document.GetProperty("metadata").GetRawText().ShouldBe("""{"lang":"en"}""");
        (await Client.DocumentAsync(added.Text("id"))).GetRawText().ShouldBe(document.GetRawText());

        var chunk = (await world.GetAsync($"/api/knowledge/{added.Text("id")}/chunks")).EnumerateArray().ShouldHaveSingleItem();
        chunk.EnumerateObject().Select(p => p.Name).ShouldBe(["id", "position", "text", "tokens", "heading", "page"]);
        chunk.Text("text").ShouldContain("within 14 days");
        using var content = await Client.GetAsync($"/api/knowledge/{added.Text("id")}/content", Token);
        (await content.Content.ReadAsByteArrayAsync(Token)).ShouldBe(bytes);
        content.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        content.Header("X-Content-Type-Options").ShouldBe("nosniff");
    }

    [Fact]
    public async Task The_same_bytes_twice_in_a_scope_are_refused_with_the_first_ones_id()
    {
        var (agent, other) = (await world.Server.CreateAgentAsync(), await world.Server.CreateAgentAsync());
        var first = await Client.AddDocumentAsync("agent", agent, Policy);
        var again = await Client.UploadDocumentAsync(Encoding.UTF8.GetBytes(Policy), "other.md", ("title", "Again"), ("scope_type", "agent"), ("scope_id", agent.ToString())).ShouldBeError(409, "CONFLICT");
        again.Text("detail").ShouldBe(first.Text("id"));
        await Client.AddDocumentAsync("agent", other, Policy);
        await Client.DeleteAsync($"/api/knowledge/{first.Text("id")}", Token).ShouldBe(200);
        await Client.AddDocumentAsync("agent", agent, Policy);
    }

    [Fact]
    public async Task A_deleted_document_leaves_nothing_behind()
    {
        await using var own = await TurnWorld.StartAsync(settings => settings["Knowledge:EmbeddingModel"] = "flapjack-offline/words");
        var thread = await own.OpenAsync();
        var agent = (await own.ThreadAsync(thread)).GetProperty("agent_id").GetGuid();
        var document = await own.Server.Client.AddDocumentAsync("agent", agent, Policy);
        await own.Server.AskAsync(thread, "When does money come back?");
        (await own.Server.Client.DeleteAsync($"/api/knowledge/{document.Text("id")}", Token).ShouldBe(200)).GetRawText().ShouldBe("""{"ok":true}""");
        await own.Server.Client.GetAsync($"/api/knowledge/{document.Text("id")}", Token).ShouldBeError(404, "NOT_FOUND");
        await using var db = own.Server.Database();
        int[] rows =
        [
            await db.Documents.IgnoreQueryFilters().CountAsync(Token), await db.Set<DocumentPiece>().CountAsync(Token), await db.Set<DocumentRevision>().CountAsync(Token), await db.DocumentChunks.CountAsync(Token),
            await db.Set<DocumentVector>().CountAsync(Token), await db.Set<DocumentSketches>().CountAsync(Token), await db.Set<DocumentWordRow>().CountAsync(Token), await db.TurnSources.IgnoreQueryFilters().CountAsync(Token),
        ];
        rows.ShouldAllBe(count => count == 0);
        (await db.KnowledgeScopes.IgnoreQueryFilters().SingleAsync(Token)).Chunks.ShouldBe(0);
    }

    [Theory]
    [InlineData("title", "", 422, "title")]
    [InlineData("scopeType", "", 422, "scopeType")]
    [InlineData("scopeType", "planet", 422, "scopeType")]
    [InlineData("scopeId", "", 422, "scopeId")]
    [InlineData("scopeId", "x", 422, "scopeId")]
    [InlineData("metadata", "[1]", 422, "metadata")]
    [InlineData("metadata", "{", 422, "metadata")]
    [InlineData("async", "maybe", 422, "async")]
    public async Task Wrong_parts_are_refused_and_nothing_is_kept(string field, string value, int status, string named)
    {
        var agent = await world.Server.CreateAgentAsync();
        var fields = new Dictionary<string, string> { ["title"] = "T", ["scopeType"] = "agent", ["scopeId"] = agent.ToString() };
        if (value.Length == 0) fields.Remove(field);
        else fields[field] = value;
        await Client.UploadDocumentAsync(Encoding.UTF8.GetBytes(Policy), "a.md", [.. fields.Select(f => (f.Key, f.Value))]).ShouldBeError(status, "VALIDATION_ERROR", named);
        await using var db = world.Server.Database();
        (await db.Documents.IgnoreQueryFilters().CountAsync(d => d.Status == "receiving", Token)).ShouldBe(0);
    }

    [Fact]
    public async Task What_cannot_be_read_is_refused_by_its_content()
    {
        var agent = await world.Server.CreateAgentAsync();
        (string, string)[] fields = [("title", "T"), ("scopeType", "agent"), ("scopeId", agent.ToString())];
        await Client.UploadDocumentAsync([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3], "fake.pdf", fields).ShouldBeError(415, "UNSUPPORTED_MEDIA_TYPE");
        await Client.UploadDocumentAsync([0, 1, 2, 3], "fake.txt", fields).ShouldBeError(415, "UNSUPPORTED_MEDIA_TYPE");
        await Client.UploadDocumentAsync([], "empty.txt", fields).ShouldBeError(422, "VALIDATION_ERROR", "file");
        await Client.UploadDocumentAsync(null, "none", fields).ShouldBeError(422, "VALIDATION_ERROR", "file");
        var blank = await Client.UploadDocumentAsync(Encoding.UTF8.GetBytes(" \n \n "), "blank.txt", fields).ShouldBeError(422, "VALIDATION_ERROR");
        blank.Text("detail").ShouldBe("NO_TEXT");
        (await world.GetAsync($"/api/knowledge?scopeType=agent&scopeId={agent}")).GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_document_of_more_than_25_megabytes_is_413()
    {
        var agent = await world.Server.CreateAgentAsync();
        var large = Encoding.UTF8.GetBytes(new string('a', 25 * 1024 * 1024 + 1));
        await Client.UploadDocumentAsync(large, "large.txt", ("title", "T"), ("scopeType", "agent"), ("scopeId", agent.ToString())).ShouldBeError(413, "PAYLOAD_TOO_LARGE");
    }

    [Fact]
    public async Task Scopes_that_are_not_there_are_404()
    {
        var unknown = Guid.CreateVersion7().ToString();
        foreach (var type in (string[])["org", "agent", "thread", "runner"])
        {
            await Client.UploadDocumentAsync("text"u8.ToArray(), "a.txt", ("title", "T"), ("scopeType", type), ("scopeId", unknown)).ShouldBeError(404, "NOT_FOUND");
            await Client.GetAsync($"/api/knowledge?scopeType={type}&scopeId={unknown}", Token).ShouldBeError(404, "NOT_FOUND");
            await Client.SearchAsync(new { query = "x", scopeType = type, scopeId = unknown }).ShouldBeError(404, "NOT_FOUND");
        }
    }

    [Fact]
    public async Task A_text_becomes_a_document()
    {
        var agent = await world.Server.CreateAgentAsync();
        var added = await world.PostAsync("/api/knowledge/text", new { text = "The **owl** sleeps by day.", title = "Owls", format = "md", scopeType = "agent", scopeId = agent, sourceRef = "crm:17" }).ShouldBe(201);
        (await Client.DocumentAsync(added.Text("id"))).Text("source_ref").ShouldBe("crm:17");
        (await Client.FindAsync(new { query = "owl", agentId = agent })).ShouldBe(["Owls"]);
        await world.PostAsync("/api/knowledge/text", new { text = new string('x', 5 * 1024 * 1024 + 1), title = "Long", scopeType = "agent", scopeId = agent }).ShouldBeError(413, "PAYLOAD_TOO_LARGE");
        await world.PostAsync("/api/knowledge/text", new { title = "None", scopeType = "agent", scopeId = agent }).ShouldBeError(422, "VALIDATION_ERROR", "text");
        await world.PostAsync("/api/knowledge/text", new { text = "x", title = "T", format = "doc", scopeType = "agent", scopeId = agent }).ShouldBeError(422, "VALIDATION_ERROR", "format");
    }

    [Fact]
    public async Task A_text_is_what_its_format_says_wherever_it_comes_from()
    {
        var agent = await world.Server.CreateAgentAsync();
        var added = await world.PostAsync("/api/knowledge/text", new { text = "A <marsh> is no tag.\n\nOwls sleep.", title = "Owls", format = "md", scopeType = "agent", scopeId = agent, sourceRef = "https://example.com/owls.html" }).ShouldBe(201);
        var document = await Client.DocumentAsync(added.Text("id"));
        (document.Text("media_type"), document.Text("source_ref")).ShouldBe(("text/markdown", "https://example.com/owls.html"));
        (await world.GetAsync($"/api/knowledge/{added.Text("id")}/chunks"))[0].Text("text").ShouldContain("<marsh>");
    }

    [Fact]
    public async Task A_text_may_be_escaped_to_three_times_its_size()
    {
        var agent = await world.Server.CreateAgentAsync();
        var escaped = string.Concat(Enumerable.Repeat("\\u00a0", 2_400_000));
        using var body = new StringContent($$"""{"text":"Owls sleep.{{escaped}}","title":"Owls","scopeType":"agent","scopeId":"{{agent}}"}""", Encoding.UTF8, "application/json");
        (await Client.PostAsync("/api/knowledge/text", body, Token).ShouldBe(201)).Text("status").ShouldBe("ready");
    }

    [Fact]
    public async Task Content_comes_piece_by_piece_and_is_never_of_two_readings()
    {
        var agent = await world.Server.CreateAgentAsync();
        var bytes = Encoding.UTF8.GetBytes("Owls sleep." + new string(' ', 2 * 1024 * 1024) + "By day.");
        var id = (await Client.UploadDocumentAsync(bytes, "owls.txt", ("title", "Owls"), ("scopeType", "agent"), ("scopeId", agent.ToString())).ShouldBe(201)).Text("id");
        var path = $"/api/knowledge/{id}/content";
        using (var content = await Client.GetAsync(path, Token))
        {
            content.Content.Headers.ContentLength.ShouldBe(bytes.Length);
            (await content.Content.ReadAsByteArrayAsync(Token)).ShouldBe(bytes);
        }
        await using var db = world.Server.Database();
        var document = await db.Documents.IgnoreQueryFilters().AsNoTracking().SingleAsync(d => d.Id == Guid.Parse(id), Token);
        var rows = world.Server.Services.GetRequiredService<DocumentRows>();
        (await rows.PieceAsync(document, 2, Token)).ShouldNotBeNull();
        // As an answer finds them that began before the address was fetched again.
        await db.Documents.IgnoreQueryFilters().Where(d => d.Id == document.Id).ExecuteUpdateAsync(r => r.SetProperty(d => d.Sha256, "other"), Token);
        (await rows.PieceAsync(document, 2, Token)).ShouldBeNull();
        await db.Set<DocumentPiece>().Where(p => p.DocumentId == document.Id && p.Position == 2).ExecuteDeleteAsync(Token);
        await Should.ThrowAsync<HttpRequestException>(() => Client.GetByteArrayAsync(path, Token));
        await db.Set<DocumentPiece>().Where(p => p.DocumentId == document.Id).ExecuteDeleteAsync(Token);
        await Client.GetAsync(path, Token).ShouldBeError(409, "CONFLICT");
    }

    [Fact]
    public async Task A_scope_takes_so_many_documents_and_no_more()
    {
        await using var own = await TurnWorld.StartAsync(settings => settings["Knowledge:MaxDocumentsPerScope"] = "2");
        var agent = await own.Server.CreateAgentAsync();
        await own.Server.Client.AddDocumentAsync("agent", agent, "one");
        var second = await own.Server.Client.AddDocumentAsync("agent", agent, "two");
        (string, string)[] third = [("title", "T"), ("scopeType", "agent"), ("scopeId", agent.ToString())];
        await own.Server.Client.UploadDocumentAsync("three"u8.ToArray(), "a.txt", third).ShouldBeError(409, "CONFLICT");
        await own.Server.Client.DeleteAsync($"/api/knowledge/{second.Text("id")}", Token).ShouldBe(200);
        await own.Server.Client.UploadDocumentAsync("three"u8.ToArray(), "a.txt", third).ShouldBe(201);
    }

    [Fact]
    public async Task Title_and_metadata_can_be_changed()
    {
        var agent = await world.Server.CreateAgentAsync();
        var added = await Client.AddDocumentAsync("agent", agent, Policy, metadata: new { lang = "en" });
        var path = $"/api/knowledge/{added.Text("id")}";
        var changed = await world.PatchAsync(path, new { title = "Returns", metadata = new { lang = "de" } }).ShouldBe(200);
        (changed.Text("title"), changed.GetProperty("metadata").Text("lang")).ShouldBe(("Returns", "de"));
        (await Client.FindAsync(new { query = "money", agentId = agent, filter = new { lang = "de" } })).ShouldBe(["Returns"]);
        (await Client.FindAsync(new { query = "money", agentId = agent, filter = new { lang = "en" } })).ShouldBeEmpty();
        await world.PatchAsync(path, new { title = "" }).ShouldBeError(422, "VALIDATION_ERROR", "title");
        await world.PatchAsync(path, new { refreshHours = 5 }).ShouldBeError(422, "VALIDATION_ERROR", "refreshHours");
        (await world.PatchAsync(path, new { metadata = (object?)null }).ShouldBe(200)).GetProperty("metadata").GetRawText().ShouldBe("{}");
    }

    [Fact]
    public async Task Lists_filter_by_status_and_title_and_come_in_pages()
    {
        var agent = await world.Server.CreateAgentAsync();
        foreach (var title in (string[])["Alpha", "Beta", "Alphabet"]) await Client.AddDocumentAsync("agent", agent, $"text of {title}", title);
        var path = $"/api/knowledge?scopeType=agent&scopeId={agent}";
        (await world.GetAsync($"{path}&q=alpha")).EnumerateArray().Select(d => d.Text("title")).ShouldBe(["Alphabet", "Alpha"]);
        (await world.GetAsync($"{path}&status=error")).GetArrayLength().ShouldBe(0);
        using var page = await Client.GetAsync($"{path}&limit=1&offset=1", Token);
        page.Header("X-Total-Count").ShouldBe("3");
        (await page.ShouldBeAsync(200))[0].Text("title").ShouldBe("Beta");
        await Client.GetAsync("/api/knowledge?scopeType=agent", Token).ShouldBeError(422, "VALIDATION_ERROR", "scopeId");
        await Client.GetAsync($"{path}&status=lost", Token).ShouldBeError(422, "VALIDATION_ERROR", "status");
    }

    [Fact]
    public async Task Documents_of_a_thread_are_seen_by_those_who_see_the_thread()
    {
        var org = await world.Server.AddOrgAsync("readers-" + Guid.NewGuid().ToString("N")[..8]);
        var key = world.Server.ClientFor((await world.Server.AddKeyAsync(org)).Text);
        var (mine, theirs) = (await UserAsync(org, "member"), await UserAsync(org, "member"));
        var agent = (await world.PostAsync("/api/agents", new { name = "A", defaultModel = "flapjack-offline" }, key).ShouldBe(201)).Text("id");
        var thread = (await world.PostAsync("/api/threads", new { agentId = agent }, mine).ShouldBe(200)).GetProperty("id").GetGuid();
        var document = (await mine.AddDocumentAsync("thread", thread, Policy)).Text("id");
        await theirs.GetAsync($"/api/knowledge/{document}", Token).ShouldBeError(404, "NOT_FOUND");
        await theirs.GetAsync($"/api/knowledge?scopeType=thread&scopeId={thread}", Token).ShouldBeError(404, "NOT_FOUND");
        await theirs.SearchAsync(new { query = "money", threadId = thread }).ShouldBeError(404, "NOT_FOUND");
        (await mine.FindAsync(new { query = "money", threadId = thread })).ShouldBe(["Policy"]);
        (await key.FindAsync(new { query = "money", threadId = thread })).ShouldBe(["Policy"]);
        await mine.DeleteAsync($"/api/threads/{thread}", Token).ShouldBe(200);
        await key.GetAsync($"/api/knowledge/{document}", Token).ShouldBeError(404, "NOT_FOUND");
    }

    private async Task<HttpClient> UserAsync(Guid org, string role)
    {
        var mail = $"{Guid.NewGuid():N}@example.com";
        await world.Server.AddUserAsync(mail, (org, role));
        return await world.Server.ClientOfAsync(mail);
    }
}
