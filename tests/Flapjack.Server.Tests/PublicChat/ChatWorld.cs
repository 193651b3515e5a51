using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Threads;

namespace Flapjack.Server.Tests.PublicChat;

/// <summary>Publishes agents and calls their chats as strangers do.</summary>
internal sealed class ChatWorld(TurnWorld world)
{
    private static int s_count;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ServerFixture Server => world.Server;

    public TurnWorld World => world;

    /// <summary>A new agent under a new slug.</summary>
    public async Task<(Guid Agent, string Slug)> PublishAsync(object? fields = null, object? agent = null)
    {
        var id = await Server.CreateAgentAsync("Ada", agent ?? new { defaultModel = "flapjack-offline" });
        var slug = $"chat-{Interlocked.Increment(ref s_count)}";
        var body = JsonSerializer.SerializeToNode(fields ?? new { })!.AsObject();
        body["slug"] = slug;
        await Server.Client.PostAsync($"/api/agents/{id}/publish", JsonText.Content(body.ToJsonString()), Token).ShouldBe(201);
        return (id, slug);
    }

    public async Task<(Guid Thread, string Session)> OpenAsync(string slug, string? session = null)
    {
        var opened = await PostAsync($"{slug}/threads", new { title = "Hello" }, session).ShouldBe(200);
        return (opened.GetProperty("id").GetGuid(), opened.Text("sessionToken"));
    }

    public Task<HttpResponseMessage> GetAsync(string path, string? session = null, string? origin = null) => SendAsync(HttpMethod.Get, path, null, session, origin);

    public Task<HttpResponseMessage> PostAsync(string path, object? body, string? session = null, string? origin = null, string? key = null) => SendAsync(HttpMethod.Post, path, body, session, origin, key);

    /// <summary>The events of an answer.</summary>
    public async Task<EventStream> SayAsync(string slug, Guid thread, object message, string? session = null, string? key = null) =>
        await EventStream.OpenAsync(await PostAsync($"{slug}/threads/{thread}/messages", message, session, key: key));

    /// <summary>A token as an application of the organisation makes it.</summary>
    public static string TokenOf(string secret, object claims, string algorithm = "HS256")
    {
        var signed = $"{Encode(JsonSerializer.SerializeToUtf8Bytes(new { alg = algorithm, typ = "JWT" }))}.{Encode(JsonSerializer.SerializeToUtf8Bytes(claims))}";
        return $"{signed}.{(algorithm == "none" ? "" : Encode(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(signed))))}";
    }

    /// <summary>The organisation's own signing secret.</summary>
    public async Task<string> SecretAsync()
    {
        using var owner = await Server.LoginOwnerAsync();
        return (await owner.PostAsync($"/api/orgs/{await Server.FirstOrgAsync()}/signing-secret/rotate", null, Token).ShouldBe(200)).Text("secret");
    }

    public long In(TimeSpan time) => (Server.Time.GetUtcNow() + time).ToUnixTimeSeconds();

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, object? body, string? session, string? origin, string? key = null)
    {
        var request = new HttpRequestMessage(method, $"/api/public/chat/{path}");
        if (body is not null) request.Content = TurnWorld.Body(body);
        if (session is not null) request.Headers.Add("X-Flapjack-Session", session);
        if (origin is not null) request.Headers.Add("Origin", origin);
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("*/*"));
        return Server.Anonymous.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
    }

    private static string Encode(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);
}
