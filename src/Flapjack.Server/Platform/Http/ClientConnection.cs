using System.Text.Json;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Platform.Http;

/// <summary>The client of a request as features see it that stream: where events go, and whether anybody is still there.</summary>
internal sealed class ClientConnection(HttpContext context)
{
    public static ValueTask<ClientConnection?> BindAsync(HttpContext context) => new(new ClientConnection(context));

    /// <summary>Cancelled when the client has left.</summary>
    public CancellationToken Left => context.RequestAborted;

    /// <summary>The claim of the request's <c>Idempotency-Key</c>; null without one.</summary>
    public IdempotencyClaim? Claim => context.Features.Get<IdempotencyClaim>();

    /// <summary>Says which turn answers this request, for repeats under the same <c>Idempotency-Key</c>.</summary>
    public void AnsweredBy(Guid turnId) => context.Features.Set(new IdempotentTurn(turnId));

    /// <summary>A header of the request; null without it.</summary>
    public string? Header(string name) => context.Request.Headers[name];

    /// <summary>Counts a message of the organisation; 429 over the limit.</summary>
    public void CountMessage(RequestLimits limits, Guid orgId) => limits.CountMessage(context, orgId);

    /// <summary>Sends the headers of a stream before its first event is known.</summary>
    public async Task StartEventsAsync()
    {
        await SseResponse.StartAsync(context);
        // Kestrel keeps headers back until the first byte of the body.
        await context.Response.BodyWriter.FlushAsync(Left);
    }

    /// <summary>Sends a log from <paramref name="position"/> to its end, or until the client leaves.</summary>
    /// <param name="log">The events.</param>
    /// <param name="position">Where to begin.</param>
    /// <param name="listener">Credential of a client that only listens: its revocation ends this stream, not the work behind it.</param>
    public Task SendAsync(EventLog log, int position, Guid? listener = null) => SendAsync(new EventCursor(log, position), listener);

    /// <summary>Sends a log in the form its cursor gives it.</summary>
    public Task SendAsync(EventCursor cursor, Guid? listener = null) => context.RequestServices.GetRequiredService<EventStreams>().WriteAsync(context, cursor, listener);

    /// <summary>Waits for the second event of a log before anything is sent, so that a failure found at once can still be an ordinary error answer. Gives up when a stream would have to send its first comment.</summary>
    public async Task WaitForSecondAsync(EventLog log)
    {
        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        using var pause = CancellationTokenSource.CreateLinkedTokenSource(Left);
        var patience = Task.Delay(EventStreams.Silence, time, pause.Token);
        while (log.At(1) is null && !log.IsEnded && !patience.IsCompleted) await Task.WhenAny(patience, log.WaitAsync(log.At(0)?.End ?? 0));
        await pause.CancelAsync();
        Left.ThrowIfCancellationRequested();
    }

    /// <summary>Sets a header of the answer; nothing may have been sent yet.</summary>
    public void SetHeader(string name, string value) => context.Response.Headers[name] = value;

    /// <summary>Waits for <paramref name="ready"/> on a started stream, sending comments so that no proxy closes it.</summary>
    public async Task SendCommentsUntilAsync(Task ready)
    {
        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        while (!ready.IsCompleted)
        {
            using var pause = CancellationTokenSource.CreateLinkedTokenSource(Left);
            await Task.WhenAny(ready, Task.Delay(EventStreams.Silence, time, pause.Token));
            if (!ready.IsCompleted && !Left.IsCancellationRequested) await context.Response.BodyWriter.WriteAsync(SseResponse.KeepAlive, Left);
            await pause.CancelAsync();
            Left.ThrowIfCancellationRequested();
        }
        await ready;
    }

    /// <summary>Sends one JSON answer.</summary>
    public async Task SendJsonAsync(Action<Utf8JsonWriter> write)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter, new JsonWriterOptions { Encoder = WireJson.Responses.Encoder });
        write(json);
    }

    /// <summary>Answers 204.</summary>
    public void SendNothing() => context.Response.StatusCode = 204;
}
