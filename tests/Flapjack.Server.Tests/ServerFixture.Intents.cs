using System.Net.Http.Json;
using System.Text.Json;

namespace Flapjack.Server.Tests;

/// <summary>What tests want from the server, in their words.</summary>
public sealed partial class ServerFixture
{
    /// <summary>Creates an agent; <paramref name="fields"/> are further request fields.</summary>
    public async Task<Guid> CreateAgentAsync(string name = "Ada", object? fields = null)
    {
        using var response = await Client.PostAsync("/api/agents", Json(new { name }, fields), TestContext.Current.CancellationToken);
        return (await response.ShouldBeAsync(201)).GetProperty("id").GetGuid();
    }

    public async Task<Guid> CreateThreadAsync(Guid agentId, object? fields = null)
    {
        using var response = await Client.PostAsync("/api/threads", Json(new { agentId }, fields), TestContext.Current.CancellationToken);
        return (await response.ShouldBeAsync(200)).GetProperty("id").GetGuid();
    }

    /// <summary>Sends a message and returns as soon as the answer's headers are there; read its events with <see cref="ReadEventsAsync"/>.</summary>
    public async Task<HttpResponseMessage> PostMessageAsync(Guid threadId, string content, object? fields = null, string? idempotencyKey = null, HttpClient? client = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/threads/{threadId}/messages") { Content = Json(new { content }, fields) };
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        return await (client ?? Client).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    /// <summary>Sends a message and waits for all events of its answer.</summary>
    public async Task<IReadOnlyList<ServerEvent>> AskAsync(Guid threadId, string content, object? fields = null)
    {
        using var response = await PostMessageAsync(threadId, content, fields);
        if ((int)response.StatusCode != 200) await response.ShouldBeAsync(200);
        var events = new List<ServerEvent>();
        await foreach (var @event in ReadEventsAsync(response)) events.Add(@event);
        return events;
    }

    /// <summary>The events of a stream as they arrive.</summary>
    public static IAsyncEnumerable<ServerEvent> ReadEventsAsync(HttpResponseMessage response) => ServerEvent.ReadAsync(response, TestContext.Current.CancellationToken);

    /// <summary>A client with the access token of the organisation's owner.</summary>
    public async Task<HttpClient> LoginOwnerAsync()
    {
        using var response = await Anonymous.PostAsJsonAsync("/api/auth/login", new { email = OwnerEmail, password = OwnerPassword }, TestContext.Current.CancellationToken);
        return ClientFor((await response.ShouldBeAsync(200)).GetProperty("access_token").GetString()!);
    }

    private static StringContent Json(object required, object? fields)
    {
        var body = JsonSerializer.SerializeToNode(required)!.AsObject();
        if (fields is not null)
        {
            foreach (var (name, value) in JsonSerializer.SerializeToNode(fields)!.AsObject()) body[name] = value?.DeepClone();
        }
        return JsonText.Content(body.ToJsonString());
    }
}
