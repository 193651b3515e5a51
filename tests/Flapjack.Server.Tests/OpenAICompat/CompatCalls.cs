using System.Text.Json;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.OpenAICompat;

/// <summary>A stream of OpenAI's API, read to its end.</summary>
/// <param name="Events">Name (null in Chat Completions) and data of each event.</param>
/// <param name="Comments">Comment lines.</param>
/// <param name="IsDone">Whether <c>[DONE]</c> came last.</param>
/// <param name="Thread">The thread the answer named.</param>
internal sealed record CompatStream(IReadOnlyList<(string? Name, JsonElement Data)> Events, IReadOnlyList<string> Comments, bool IsDone, Guid Thread)
{
    public IEnumerable<JsonElement> Data => Events.Select(e => e.Data);

    /// <summary>The text of all chunks.</summary>
    public string ChatText => string.Concat(Data.SelectMany(chunk => chunk.GetProperty("choices").EnumerateArray()).Select(choice => choice.GetProperty("delta").TryGetProperty("content", out var text) ? text.GetString() : ""));
}

/// <summary>Calls of <c>/v1</c> in a test's words.</summary>
internal static class CompatCalls
{
    public const string ThreadHeader = "X-Flapjack-Thread";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The <c>model</c> of a new agent.</summary>
    public static async Task<string> AgentAsync(this TurnWorld world, string model = "flapjack-offline", object? fields = null)
    {
        var id = await world.Server.CreateAgentAsync("Ada", JsonSerializer.SerializeToNode(fields ?? new { })!.AsObject().With("defaultModel", model));
        return $"agent:{id}";
    }

    public static Task<HttpResponseMessage> ChatAsync(this TurnWorld world, object body, Guid? thread = null, HttpClient? client = null, string? key = null) => world.CallAsync("/v1/chat/completions", body, thread, client, key);

    public static Task<HttpResponseMessage> RespondAsync(this TurnWorld world, object body, HttpClient? client = null, string? key = null) => world.CallAsync("/v1/responses", body, null, client, key);

    /// <summary>The answer of a conversation in one piece.</summary>
    public static async Task<JsonElement> CompleteAsync(this TurnWorld world, object body, Guid? thread = null) => await world.ChatAsync(body, thread).ShouldBe(200);

    /// <summary>The text of the only choice.</summary>
    public static string? TextOf(this JsonElement completion) => completion.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString();

    public static object User(string content) => new { role = "user", content };

    public static Guid ThreadOf(this HttpResponseMessage response) => Guid.Parse(response.Header(ThreadHeader)!);

    /// <summary>Reads a stream to its end.</summary>
    public static async Task<CompatStream> StreamAsync(this Task<HttpResponseMessage> calling)
    {
        using var response = await calling;
        if ((int)response.StatusCode != 200) await response.ShouldBeAsync(200);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        var (events, comments, done) = (new List<(string?, JsonElement)>(), new List<string>(), false);
        string? name = null;
        foreach (var line in (await response.Content.ReadAsStringAsync(Token)).Split('\n'))
        {
            done.ShouldBe(done && line.Length == 0);
            if (line.StartsWith(':')) comments.Add(line);
            else if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
            else if (line == "data: [DONE]") done = true;
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                events.Add((name, JsonElement.Parse(line[6..])));
                name = null;
            }
            else line.ShouldBeEmpty();
        }
        return new(events, comments, done, response.ThreadOf());
    }

    /// <summary>Checks for a failure in OpenAI's form.</summary>
    public static async Task<JsonElement> ShouldFailAsync(this Task<HttpResponseMessage> calling, int status, string code, string? param = null)
    {
        using var response = await calling;
        var body = await response.ShouldBeAsync(status);
        body.EnumerateObject().Select(p => p.Name).ShouldBe(["error"]);
        var error = body.GetProperty("error");
        error.EnumerateObject().Select(p => p.Name).ShouldBe(["message", "type", "param", "code"]);
        error.GetProperty("code").GetString().ShouldBe(code, error.ToString());
        error.GetProperty("param").GetString().ShouldBe(param, error.ToString());
        return error;
    }

    private static async Task<HttpResponseMessage> CallAsync(this TurnWorld world, string path, object body, Guid? thread, HttpClient? client, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = TurnWorld.Body(body) };
        if (thread is { } id) request.Headers.Add(ThreadHeader, id.ToString());
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        return await (client ?? world.Server.Client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
    }

    private static System.Text.Json.Nodes.JsonObject With(this System.Text.Json.Nodes.JsonObject fields, string name, string value)
    {
        fields[name] = value;
        return fields;
    }
}
