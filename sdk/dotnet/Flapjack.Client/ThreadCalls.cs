using System.Net.Http.Json;

namespace Flapjack.Client;

/// <summary>The requests that a turn needs.</summary>
internal sealed class ThreadCalls(Transport transport, Guid threadId)
{
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(5);
    private readonly string _path = $"api/threads/{threadId}";

    public Call Send(MessageRequest message) => new(HttpMethod.Post, $"{_path}/messages") { Body = message, IdempotencyKey = NewKey() };

    public Call Attach(string? lastEventId = null) => new(HttpMethod.Get, $"{_path}/stream") { LastEventId = lastEventId };

    public Call NewestMessages() => new(HttpMethod.Get, $"{_path}/messages?order=desc&limit=200");

    /// <summary>Stops the turn, unless the thread has gone on to another one.</summary>
    public async Task StopAsync(Guid turnId, bool isWaiting)
    {
        using var patience = new CancellationTokenSource(StopWithin, transport.Options.Time);
        try
        {
            using var answer = await transport.SendAsync(new(HttpMethod.Get, _path), patience.Token).ConfigureAwait(false);
            var thread = await answer.Content.ReadFromJsonAsync<ConversationThread>(Wire.Json, patience.Token).ConfigureAwait(false);
            if (thread?.ActiveTurnId != turnId && !(isWaiting && thread?.AwaitingAction == true)) return;
            using var stopped = await transport.SendAsync(new(HttpMethod.Post, $"{_path}/stop"), patience.Token).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is FlapjackException or HttpRequestException or IOException or OperationCanceledException)
        {
            // Whoever leaves early is not told that the server could not be reached; the turn then runs to its end.
        }
    }

    /// <summary>A key that no other request has.</summary>
    public static string NewKey() => Guid.CreateVersion7().ToString("N");
}
