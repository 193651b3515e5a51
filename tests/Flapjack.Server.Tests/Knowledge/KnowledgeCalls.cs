using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tests.Knowledge;

/// <summary>What tests do with documents.</summary>
internal static class KnowledgeCalls
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Uploads bytes as a form.</summary>
    public static Task<HttpResponseMessage> UploadDocumentAsync(this HttpClient client, byte[]? content, string name, params (string Name, string Value)[] fields)
    {
        var form = new MultipartFormDataContent();
        foreach (var (field, value) in fields) form.Add(new StringContent(value), field);
        if (content is not null)
        {
            var file = new ByteArrayContent(content);
            file.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            form.Add(file, "file", name);
        }
        return client.PostAsync("/api/knowledge/upload", form, Token);
    }

    /// <summary>Uploads a Markdown text and answers what the server said.</summary>
    public static async Task<JsonElement> AddDocumentAsync(this HttpClient client, string scopeType, Guid scopeId, string text, string title = "Policy", object? metadata = null) =>
        await client.UploadDocumentAsync(Encoding.UTF8.GetBytes(text), "policy.md", ("title", title), ("scopeType", scopeType), ("scopeId", scopeId.ToString()), ("metadata", JsonSerializer.Serialize(metadata ?? new { }))).ShouldBe(201);

    public static Task<HttpResponseMessage> SearchAsync(this HttpClient client, object body) => client.PostAsync("/api/knowledge/search", TurnWorld.Body(body), Token);

    /// <summary>Titles of what is found, best first.</summary>
    public static async Task<List<string>> FindAsync(this HttpClient client, object body) =>
        [.. (await client.SearchAsync(body).ShouldBe(200)).GetProperty("results").EnumerateArray().Select(r => r.Text("title"))];

    public static async Task<JsonElement> DocumentAsync(this HttpClient client, string id) => await client.GetAsync($"/api/knowledge/{id}", Token).ShouldBe(200);

    /// <summary>The document as soon as it shows what is waited for.</summary>
    public static async Task<JsonElement> DocumentWhenAsync(this HttpClient client, string id, Func<JsonElement, bool> isSo)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        while (true)
        {
            var document = await client.DocumentAsync(id);
            if (isSo(document)) return document;
            if (patience.IsCancellationRequested) throw new TimeoutException($"still {document}");
            await Task.Delay(5, Token);
        }
    }

    /// <summary>The organisation of the server's own key.</summary>
    public static async Task<Guid> OrgIdAsync(this ServerFixture server)
    {
        await using var db = server.Database();
        return await db.ApiKeys.IgnoreQueryFilters().OrderBy(k => k.CreatedAt).Select(k => k.OrgId).FirstAsync(Token);
    }
}
