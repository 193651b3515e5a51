using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Text;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Tests.Accounts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flapjack.Server.Tests.Channels;

/// <summary>A message that a provider was given to deliver.</summary>
public sealed record Delivered(string To, string Text, JsonElement Body);

/// <summary>Telegram, Slack, WhatsApp and an application on one real socket, as strict as the real ones where it matters.</summary>
public sealed partial class FakeProviders : IAsyncDisposable
{
    public const string BotToken = "123456:AAgood-token", SlackToken = "xoxb-good", GraphToken = "EAAgood", Number = "4790000000", Secret = "a-secret-of-the-application";

    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Delivered> _delivered = new();
    private readonly ConcurrentQueue<(int Status, string Body)> _faults = new();

    private FakeProviders(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    public IReadOnlyList<Delivered> All => [.. _delivered];

    /// <summary>Where Telegram sends updates, and with which secret; null when it sends none.</summary>
    public (string Url, string Secret)? Hook { get; private set; }

    /// <summary>Files by id, with the content they have.</summary>
    public ConcurrentDictionary<string, byte[]> Files { get; } = new();

    /// <summary>Telegram cannot be reached by anything but deliveries that were made before.</summary>
    public bool IsDown { get; set; }

    public static async Task<FakeProviders> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var fake = new FakeProviders(app);
        app.Run(fake.ServeAsync);
        await app.StartAsync();
        return fake;
    }

    /// <summary>The next deliveries are answered so, one after another; status 0 lets one through.</summary>
    public void Fail(params (int Status, string Body)[] faults)
    {
        foreach (var fault in faults) _faults.Enqueue(fault);
    }

    public IReadOnlyList<string> To(string contact) => [.. _delivered.Where(d => d.To == contact).Select(d => d.Text)];

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context)
    {
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
        var (path, bytes) = (context.Request.Path.Value!, buffer.ToArray());
        var body = bytes.Length > 0 ? JsonElement.Parse(bytes) : default;
        var (status, answer) = IsDown ? (503, Json(new { ok = false })) : path.Split('/') switch
        {
            ["", "telegram", var bot, var method] => Telegram(bot, method, body),
            ["", "telegram", "file", _, "photos", var file] => (200, Files[file]),
            ["", "slack", var method] => Slack(method, body, Bearer(context)),
            ["", "graph", var id, "messages"] => Graph(id, body, Bearer(context)),
            ["", "graph", var id] => GraphRead(id, Bearer(context)),
            ["", "media", var file] when Bearer(context) == GraphToken => (200, Files[file]),
            ["", "app"] => Application(context, body, bytes),
            _ => (404, Json(new { ok = false })),
        };
        context.Response.StatusCode = status;
        await context.Response.Body.WriteAsync(answer, context.RequestAborted);
    }

    private (int, byte[]) Telegram(string bot, string method, JsonElement body)
    {
        if (bot != $"bot{BotToken}") return (401, Json(new { ok = false, error_code = 401, description = "Unauthorized" }));
        switch (method)
        {
            case "getMe":
                return (200, Json(new { ok = true, result = new { id = 123456, is_bot = true, first_name = "Ada", username = "ada_bot" } }));
            case "setWebhook" when !body.Text("url").StartsWith("https://", StringComparison.Ordinal):
                return (400, Json(new { ok = false, error_code = 400, description = "Bad Request: bad webhook: HTTPS url must be provided for webhook" }));
            case "setWebhook":
                Hook = (body.Text("url"), body.Text("secret_token"));
                return (200, Json(new { ok = true, result = true }));
            case "deleteWebhook":
                Hook = null;
                return (200, Json(new { ok = true, result = true }));
            case "getFile":
                return (200, Json(new { ok = true, result = new { file_id = body.Text("file_id"), file_path = $"photos/{body.Text("file_id")}" } }));
            case "sendMessage":
                if (Fault() is { } fault) return fault;
                if (body.Text("text").Length > 4096) return (400, Json(new { ok = false, error_code = 400, description = "Bad Request: message is too long" }));
                if (body.TryGetProperty("parse_mode", out _) && !IsWellFormed(body.Text("text"))) return (400, Json(new { ok = false, error_code = 400, description = "Bad Request: can't parse entities: Unexpected end tag" }));
                _delivered.Enqueue(new(body.Text("chat_id"), body.Text("text"), body));
                return (200, Json(new { ok = true, result = new { message_id = _delivered.Count } }));
            default:
                return (404, Json(new { ok = false, error_code = 404, description = "Not Found" }));
        }
    }

    private (int, byte[]) Slack(string method, JsonElement body, string? bearer)
    {
        if (bearer != SlackToken) return (200, Json(new { ok = false, error = "invalid_auth" }));
        if (method == "auth.test") return (200, Json(new { ok = true, team = "Analytical Engines", user = "ada" }));
        if (Fault() is { } fault) return fault;
        _delivered.Enqueue(new(body.Text("channel"), body.Text("text"), body));
        return (200, Json(new { ok = true, ts = "1.2" }));
    }

    private (int, byte[]) Graph(string number, JsonElement body, string? bearer)
    {
        if (bearer != GraphToken || number != Number) return (401, Json(new { error = new { message = "Invalid OAuth access token", code = 190 } }));
        if (Fault() is { } fault) return fault;
        body.Text("messaging_product").ShouldBe("whatsapp");
        _delivered.Enqueue(new(body.Text("to"), body.GetProperty("text").Text("body"), body));
        return (200, Json(new { messages = new[] { new { id = "wamid.out" } } }));
    }

    private (int, byte[]) GraphRead(string id, string? bearer)
    {
        if (bearer != GraphToken) return (401, Json(new { error = new { message = "Invalid OAuth access token", code = 190 } }));
        return id == Number ? (200, Json(new { verified_name = "Ada's shop", display_phone_number = "+47 90 00 00 00" })) : (200, Json(new { url = $"{Url}/media/{id}" }));
    }

    private (int, byte[]) Application(HttpContext context, JsonElement body, byte[] bytes)
    {
        var headers = context.Request.Headers;
        var expected = RequestSignature.Of(Secret, long.Parse(headers[RequestSignature.Timestamp]!, System.Globalization.CultureInfo.InvariantCulture), headers[RequestSignature.Nonce]!, bytes);
        if (headers[RequestSignature.Signature] != expected) return (401, Json(new { }));
        if (Fault() is { } fault) return fault;
        if (!headers.ContainsKey("X-Flapjack-Test")) _delivered.Enqueue(new(body.Text("contact"), body.Text("text"), body));
        return (200, Json(new { }));
    }

    private (int, byte[])? Fault() => _faults.TryDequeue(out var fault) && fault.Status != 0 ? (fault.Status, Encoding.UTF8.GetBytes(fault.Body)) : null;

    private static string? Bearer(HttpContext context) => context.Request.Headers.Authorization.ToString() is { } text && text.StartsWith("Bearer ", StringComparison.Ordinal) ? text[7..] : null;

    private static byte[] Json(object value) => JsonSerializer.SerializeToUtf8Bytes(value);

    /// <summary>Tags that Telegram knows, each closed in order, and nothing else that looks like one.</summary>
    public static bool IsWellFormed(string html)
    {
        var open = new Stack<string>();
        foreach (Match tag in Tag().Matches(html))
        {
            if (tag.Groups[1].Value == "") open.Push(tag.Groups[2].Value);
            else if (!open.TryPop(out var last) || last != tag.Groups[2].Value) return false;
        }
        return open.Count == 0 && !Tag().Replace(html, "").AsSpan().ContainsAny('<', '>') && !Entity().Replace(html, "").Contains('&', StringComparison.Ordinal);
    }

    [GeneratedRegex(@"<(/?)(b|i|s|code|pre|a|blockquote)(?: (?:href|class)=""[^""<>]*"")?>")]
    private static partial Regex Tag();

    [GeneratedRegex("&(lt|gt|amp|quot);")]
    private static partial Regex Entity();
}
