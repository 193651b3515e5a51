using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flapjack.Server.Tests.Web;

/// <summary>A web of one server: pages, robots.txt, and whatever a provider would answer. Unknown paths are 404.</summary>
internal sealed class FakeWeb : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, Func<HttpContext, Task>> _answers = new(StringComparer.Ordinal);

    private FakeWeb(WebApplication app) => _app = app;

    /// <summary>Requests so far: path with query, oldest first.</summary>
    public ConcurrentQueue<WebCall> Calls { get; } = new();

    public string Address => _app.Urls.First();

    public IEnumerable<string> Paths => Calls.Select(call => call.Path);

    public static async Task<FakeWeb> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var fake = new FakeWeb(builder.Build());
        fake._app.Run(fake.AnswerAsync);
        await fake._app.StartAsync();
        return fake;
    }

    public FakeWeb Page(string path, string body, string type = "text/html; charset=utf-8") => Page(path, Encoding.UTF8.GetBytes(body), type);

    public FakeWeb Page(string path, byte[] body, string? type) => On(path, async http =>
    {
        if (type is not null) http.Response.ContentType = type;
        await http.Response.Body.WriteAsync(body);
    });

    public FakeWeb Status(string path, int status) => On(path, http =>
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    });

    public FakeWeb Redirect(string path, string to, int status = 302) => On(path, http =>
    {
        http.Response.StatusCode = status;
        http.Response.Headers.Location = to;
        return Task.CompletedTask;
    });

    public FakeWeb Json(string path, object answer) => Page(path, answer as string ?? JsonSerializer.Serialize(answer), "application/json");

    public FakeWeb On(string path, Func<HttpContext, Task> answer)
    {
        _answers[path] = answer;
        return this;
    }

    /// <summary>A page of one paragraph and these links.</summary>
    public FakeWeb Linking(string path, string text, params string[] links) =>
        Page(path, $"<html><head><title>Title of {path}</title></head><body><main><h1>{path}</h1><p>{text}</p>{string.Concat(links.Select(link => $"<p>See <a href=\"{link}\">there</a> for more.</p>"))}</main></body></html>");

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        using var body = new StreamReader(http.Request.Body);
        var text = await body.ReadToEndAsync();
        Calls.Enqueue(new(http.Request.Method, http.Request.Path + http.Request.QueryString, http.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase), text));
        if (_answers.TryGetValue(http.Request.Path, out var answer)) await answer(http);
        else http.Response.StatusCode = 404;
    }
}

/// <summary>A request as the fake web got it.</summary>
internal sealed record WebCall(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;
}
