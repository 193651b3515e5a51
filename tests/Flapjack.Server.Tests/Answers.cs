using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Flapjack.Server.Tests;

/// <summary>What tests say about answers. Failures show the whole body.</summary>
public static class Answers
{
    /// <summary>The body as JSON, after checking the status.</summary>
    public static async Task<JsonElement> ShouldBeAsync(this HttpResponseMessage response, int status)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var reason = (int)response.StatusCode >= 500 ? LogRecorder.LatestErrors : "";
        ((int)response.StatusCode).ShouldBe(status, $"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri?.PathAndQuery} answered: {text} {reason}");
        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
    }

    /// <summary>The contract's error object with this status and code; <paramref name="field"/> is the path its detail starts with.</summary>
    public static async Task<JsonElement> ShouldBeErrorAsync(this HttpResponseMessage response, int status, string code, string? field = null)
    {
        var body = await response.ShouldBeAsync(status);
        body.GetProperty("error").GetString().ShouldBe(code, body.ToString());
        body.GetProperty("request_id").GetString().ShouldBe(response.Header("X-Request-Id"));
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        if (field is not null) body.GetProperty("detail").GetString()!.ShouldStartWith(field + ":");
        return body;
    }

    /// <summary>Sends and checks for an error in one line.</summary>
    public static async Task<JsonElement> ShouldBeError(this Task<HttpResponseMessage> sending, int status, string code, string? field = null)
    {
        using var response = await sending;
        return await response.ShouldBeErrorAsync(status, code, field);
    }

    /// <summary>Sends, checks the status and gives the body in one line.</summary>
    public static async Task<JsonElement> ShouldBe(this Task<HttpResponseMessage> sending, int status)
    {
        using var response = await sending;
        return await response.ShouldBeAsync(status);
    }

    /// <summary>A header's value; null without it.</summary>
    public static string? Header(this HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values) ? string.Join(", ", values) : null;
}

/// <summary>JSON as a test spells it.</summary>
public static class JsonText
{
    /// <summary>A body with exactly these characters.</summary>
    public static StringContent Content(string json) => new(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));

    /// <summary>A body with exactly these bytes and this content type; null = none.</summary>
    public static ByteArrayContent Content(byte[] bytes, string? contentType)
    {
        var content = new ByteArrayContent(bytes);
        if (contentType is not null) content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return content;
    }
}
