using System.Globalization;
using System.Runtime.CompilerServices;

namespace Flapjack.Client;

/// <summary>A Flapjack server. Methods have the names of the API's operations and throw <see cref="FlapjackException"/>.</summary>
/// <param name="http">Owns the connections; its <see cref="HttpClient.BaseAddress"/> is the server's address.</param>
/// <param name="options">The credential, and how patient the client is.</param>
public sealed partial class FlapjackClient(HttpClient http, FlapjackClientOptions options)
{
    private readonly Transport _transport = new(http, options);

    // --- messages ---

    /// <summary>Sends a message and gives the events of its turn, over broken connections. Leaving the loop or cancelling stops the turn.</summary>
    /// <remarks>Without <see cref="MessageRequest.OnDisconnect"/> the turn outlives a lost connection. <c>continue</c> lets it also outlive its reader; with <c>cancel</c> the server stops it when the connection is lost.</remarks>
    public async IAsyncEnumerable<FlapjackEvent> SendMessageAsync(Guid threadId, MessageRequest message, TurnOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var calls = new ThreadCalls(_transport, threadId);
        var sent = message with { OnDisconnect = message.OnDisconnect ?? (message.ToolResults is null ? "continue" : null) };
        var reader = new TurnReader(_transport, threadId, options ?? new(), new(calls.Send(sent), false), cancellationToken) { Survives = sent.OnDisconnect != "cancel" };
        try
        {
            while (await reader.NextAsync().ConfigureAwait(false) is { } @event) yield return @event;
        }
        finally
        {
            await reader.DisposeAsync().ConfigureAwait(false);
            if (!reader.IsOver && reader.TurnId != Guid.Empty && message.OnDisconnect != "continue") await calls.StopAsync(reader.TurnId, reader.IsWaiting).ConfigureAwait(false);
        }
    }

    /// <summary>The events of the running turn from its beginning, none when nothing runs; or of any recent turn from behind <paramref name="lastEventId"/>. Leaving does not stop it.</summary>
    public async IAsyncEnumerable<FlapjackEvent> AttachStreamAsync(Guid threadId, string? lastEventId = null, TurnOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var calls = new ThreadCalls(_transport, threadId);
        var reader = new TurnReader(_transport, threadId, options ?? new(), new(calls.Attach(), true), cancellationToken) { LastEventId = lastEventId };
        await using var open = reader.ConfigureAwait(false);
        while (await reader.NextAsync().ConfigureAwait(false) is { } @event) yield return @event;
    }

    /// <summary>Stops the running turn and drops pending calls; also fine when nothing runs.</summary>
    public Task StopThreadAsync(Guid threadId, CancellationToken cancellationToken = default) => PostAsync<Done>($"api/threads/{threadId}/stop", new { }, cancellationToken);

    /// <summary>Uploads a file, for the attachments of messages.</summary>
    public async Task<FlapjackFile> UploadFileAsync(Stream content, string name, Guid? threadId = null, CancellationToken cancellationToken = default)
    {
        using var form = new MultipartFormDataContent { { new StreamContent(content), "file", name } };
        if (threadId is { } thread) form.Add(new StringContent(thread.ToString()), "threadId");
        // Written down once: a repeat under the same key has to be the same bytes.
        var bytes = await form.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        return await _transport.JsonAsync<FlapjackFile>(new(HttpMethod.Post, "api/files") { Raw = (bytes, form.Headers.ContentType!), IdempotencyKey = ThreadCalls.NewKey() }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The content of a file, at most 20 MB.</summary>
    public Task<byte[]> GetFileContentAsync(Guid fileId, CancellationToken cancellationToken = default) => _transport.BytesAsync(new(HttpMethod.Get, $"api/files/{fileId}/content"), cancellationToken);

    private Task<T> GetAsync<T>(string path, CancellationToken cancellationToken) => _transport.JsonAsync<T>(new(HttpMethod.Get, path), cancellationToken);

    private Task<T> PostAsync<T>(string path, object body, CancellationToken cancellationToken) =>
        _transport.JsonAsync<T>(new(HttpMethod.Post, path) { Body = body, IdempotencyKey = ThreadCalls.NewKey() }, cancellationToken);

    // Sign-up, login and refresh take no key.
    private Task<T> PostOnceAsync<T>(string path, object body, CancellationToken cancellationToken) => _transport.JsonAsync<T>(new(HttpMethod.Post, path) { Body = body }, cancellationToken);

    private Task<T> PutAsync<T>(string path, object body, CancellationToken cancellationToken) => _transport.JsonAsync<T>(new(HttpMethod.Put, path) { Body = body }, cancellationToken);

    private Task<T> PatchAsync<T>(string path, object body, CancellationToken cancellationToken) => _transport.JsonAsync<T>(new(HttpMethod.Patch, path) { Body = body }, cancellationToken);

    private Task<Done> DeleteAsync(string path, object? body, CancellationToken cancellationToken) => _transport.JsonAsync<Done>(new(HttpMethod.Delete, path) { Body = body }, cancellationToken);

    private static string With(string path, params IEnumerable<(string Name, object? Value)> query)
    {
        var given = query.Where(pair => pair.Value is not null).Select(pair => $"{pair.Name}={Uri.EscapeDataString(Text(pair.Value!))}");
        return string.Join('&', given) is { Length: > 0 } text ? $"{path}?{text}" : path;
    }

    private static string Text(object value) => value switch
    {
        bool flag => flag ? "true" : "false",
        DateTimeOffset time => time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private sealed record Done(bool Ok);
}
