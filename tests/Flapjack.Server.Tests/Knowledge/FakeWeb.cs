using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flapjack.Server.Tests.Knowledge;

/// <summary>A page that changes, and a provider of embeddings that speaks the real protocol.</summary>
public sealed class FakeWeb : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Model, int Texts, string? Key)> _asked = new();

    private FakeWeb(WebApplication app) => _app = app;

    /// <summary>What the page says, in Markdown; null = 404.</summary>
    public string? Page { get; set; } = "# Home\n\nThe lighthouse stands on the cliff.";

    /// <summary>Instead of <see cref="Page"/>, in whatever character set.</summary>
    public byte[]? PageBytes { get; set; }

    /// <summary>The page's <c>Content-Type</c>.</summary>
    public string PageType { get; set; } = "text/markdown";

    public int PageReads { get; private set; }

    /// <summary>Status that the provider answers; 200 = well.</summary>
    public int EmbeddingStatus { get; set; } = 200;

    /// <summary>Completes while texts may be embedded; until then the provider is silent.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>Numbers of a vector.</summary>
    public int Dimensions { get; set; } = 8;

    /// <summary>Every request for embeddings.</summary>
    public IReadOnlyList<(string Model, int Texts, string? Key)> Asked => [.. _asked];

    public Uri Address => new(_app.Urls.First());

    public static async Task<FakeWeb> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var web = new FakeWeb(app);
        app.MapGet("/page.md", (Delegate)web.ReadPage);
        app.MapPost("/v1/embeddings", (Delegate)web.EmbedAsync);
        await app.StartAsync();
        return web;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private IResult ReadPage()
    {
        PageReads++;
        if (PageBytes is { } bytes) return Results.Bytes(bytes, PageType);
        return Page is { } page ? Results.Text(page, PageType) : Results.NotFound();
    }

    private async Task<IResult> EmbedAsync(HttpContext context)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var texts = body.RootElement.GetProperty("input").EnumerateArray().Select(t => t.GetString()!).ToList();
        _asked.Enqueue((body.RootElement.GetProperty("model").GetString()!, texts.Count, context.Request.Headers.Authorization));
        await Gate;
        if (EmbeddingStatus != 200) return Results.Json(new { error = new { message = "no" } }, statusCode: EmbeddingStatus);
        // Backwards, because servers may: the index says which is which.
        var data = texts.Select((text, index) => new { @object = "embedding", index, embedding = VectorOf(text) }).Reverse();
        return Results.Json(new { @object = "list", data, usage = new { prompt_tokens = 7, total_tokens = 7 } });
    }

    // Texts about the sea point one way, all others another.
    private float[] VectorOf(string text)
    {
        var vector = new float[Dimensions];
        vector[text.Contains("lighthouse", StringComparison.OrdinalIgnoreCase) || text.Contains("beacon", StringComparison.OrdinalIgnoreCase) ? 0 : 1] = 3;
        vector[2] = text.Length % 7 / 10f;
        return vector;
    }
}
