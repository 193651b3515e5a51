using System.Globalization;
using System.Text.Json;

namespace Flapjack.Server.Tests.Processes;

/// <summary>What was sent to some threads and what of it was acknowledged, to be held against what a server has stored after a disaster.</summary>
internal sealed class MessageLedger
{
    private readonly List<Entry> _entries = [];

    private readonly bool _stops;

    private MessageLedger(List<Guid> threads, bool stops) => (Threads, _stops) = (threads, stops);

    public List<Guid> Threads { get; }

    public int Sent => _entries.Count;

    public int Acknowledged => _entries.Count(e => e.IsAcknowledged);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <param name="server">Where to open the threads.</param>
    /// <param name="threads">How many.</param>
    /// <param name="stops">The test stops turns; one that is stopped before it has said anything leaves no answer.</param>
    public static async Task<MessageLedger> OpenAsync(PublishedServer server, int threads, bool stops = false)
    {
        var opened = new List<Guid>();
        for (var i = 0; i < threads; i++) opened.Add(await server.CreateThreadAsync());
        return new(opened, stops);
    }

    /// <summary>Asks the offline model to count and reads until the end, or until the connection breaks. <paramref name="remark"/> makes the message one of its kind.</summary>
    /// <param name="goesOn">With <c>onDisconnect: continue</c>: the answer is to be complete, whatever happens.</param>
    /// <returns>The terminal event; null when there was none.</returns>
    public async Task<ServerEvent?> SendAsync(PublishedServer server, Guid thread, string remark, bool goesOn, Action<ServerEvent>? seen = null, string? idempotencyKey = null)
    {
        var countTo = goesOn ? 300 : 10_000;
        var entry = new Entry(thread, $"/count {countTo} 5\n{remark}", countTo, goesOn);
        lock (_entries) _entries.Add(entry);
        ServerEvent? last = null;
        try
        {
            using var response = await server.PostAsync(thread, entry.Content, idempotencyKey, goesOn ? "continue" : "cancel");
            if (!response.IsSuccessStatusCode) return null;
            await foreach (var @event in ServerEvent.ReadAsync(response, Token))
            {
                if (@event.Event == "meta") entry.IsAcknowledged = true;
                seen?.Invoke(last = @event);
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidOperationException)
        {
            // It died, which is the point.
        }
        return last is { Event: "done" or "error" } ? last : null;
    }

    /// <summary>Every thread takes a message, has everything that was acknowledged exactly once and the rest at most once, each answered as promised.</summary>
    public async Task CheckAsync(PublishedServer server)
    {
        foreach (var thread in Threads) await CheckAsync(server, thread);
    }

    /// <summary>Everything stored in the threads, to see whether it changes.</summary>
    public async Task<string[]> StoredAsync(PublishedServer server)
    {
        var all = new List<string>();
        foreach (var thread in Threads) all.AddRange((await server.MessagesAsync(thread)).Select(m => $"{thread} {m.GetProperty("id")} {m.GetProperty("role")}: {m.GetProperty("content")} {(m.TryGetProperty("error", out var error) ? error.ToString() : "")}"));
        return [.. all];
    }

    /// <summary>Stops the thread's turn, as soon as the server has its database again.</summary>
    public static Task StopAsync(PublishedServer server, Guid thread) => PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "the turn is stopped", async () =>
    {
        using var response = await server.Client.PostAsync($"/api/threads/{thread}/stop", null, Token);
        return response.IsSuccessStatusCode;
    });

    private async Task CheckAsync(PublishedServer server, Guid thread)
    {
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), $"thread {thread} takes messages again", async () =>
        {
            using var response = await server.PostAsync(thread, "/echo alive");
            if ((int)response.StatusCode is 409 or 503) return false;
            await response.ShouldBeStreamAsync();
            return true;
        });
        var messages = await server.MessagesAsync(thread);
        messages.Select(m => m.GetProperty("id").GetGuid()).ShouldBeUnique();
        messages[^1].GetProperty("content").GetString().ShouldBe("alive");
        foreach (var entry in _entries.Where(e => e.Thread == thread))
        {
            var stored = messages.Count(m => m.GetProperty("content").GetString() == entry.Content);
            if (entry.IsAcknowledged) stored.ShouldBe(1, $"acknowledged '{entry.Content}' in {thread}");
            else stored.ShouldBeLessThanOrEqualTo(1, $"sent '{entry.Content}' in {thread}");
            if (stored == 1) ShouldBeAnswered(entry, messages[messages.FindIndex(m => m.GetProperty("content").GetString() == entry.Content) + 1]);
        }
    }

    // A turn without listener policy ends with what was seen of it, which is the beginning of its answer; one that was to go on has the whole.
    private void ShouldBeAnswered(Entry entry, JsonElement answer)
    {
        if (_stops && !entry.GoesOn && answer.GetProperty("role").GetString() == "user") return;
        answer.GetProperty("role").GetString().ShouldBe("assistant");
        var whole = string.Join(' ', Enumerable.Range(1, entry.CountTo).Select(n => n.ToString(CultureInfo.InvariantCulture)));
        if (entry.GoesOn) (answer.GetProperty("error").ToString(), answer.GetProperty("content").GetString()).ShouldBe(("", whole), $"the answer to '{entry.Content}'");
        else whole.ShouldStartWith(answer.GetProperty("content").GetString()!);
    }

    private sealed record Entry(Guid Thread, string Content, int CountTo, bool GoesOn)
    {
        public bool IsAcknowledged { get; set; }
    }
}

internal static class StreamAnswers
{
    /// <summary>A stream with its one terminal event at the end.</summary>
    public static async Task<List<ServerEvent>> ShouldBeStreamAsync(this HttpResponseMessage response)
    {
        if ((int)response.StatusCode != 200) await response.ShouldBeAsync(200);
        var events = new List<ServerEvent>();
        await foreach (var @event in ServerEvent.ReadAsync(response, TestContext.Current.CancellationToken)) events.Add(@event);
        events[^1].Event.ShouldBeOneOf("done", "error");
        events.Count(e => e.Event is "done" or "error" or "requires_action").ShouldBe(1);
        return events;
    }
}
