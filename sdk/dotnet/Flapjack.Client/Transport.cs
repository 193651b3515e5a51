using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Flapjack.Client;

/// <summary>One request, written down so that it can be sent again.</summary>
internal sealed record Call(HttpMethod Method, string Path)
{
    public object? Body { get; init; }

    /// <summary>A body that is not JSON, with its content type.</summary>
    public (byte[] Bytes, MediaTypeHeaderValue Type)? Raw { get; init; }

    /// <summary>Makes a repeated POST harmless.</summary>
    public string? IdempotencyKey { get; init; }

    public string? LastEventId { get; init; }

    // Nobody knows whether a request without answer was carried out.
    public bool IsRepeatable => Method == HttpMethod.Get || Method == HttpMethod.Put || IdempotencyKey is not null;
}

/// <summary>Sends requests, again where that is harmless and may help.</summary>
internal sealed class Transport(HttpClient http, FlapjackClientOptions options)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(8);

    public FlapjackClientOptions Options => options;

    public Task<T> JsonAsync<T>(Call call, CancellationToken cancellationToken) =>
        RepeatAsync(call, async response => await response.Content.ReadFromJsonAsync<T>(Wire.Json, cancellationToken).ConfigureAwait(false) ?? throw new JsonException("null"), cancellationToken);

    public Task<byte[]> BytesAsync(Call call, CancellationToken cancellationToken) =>
        RepeatAsync(call, response => response.Content.ReadAsByteArrayAsync(cancellationToken), cancellationToken);

    /// <summary>One attempt, to the head of the answer. Throws <see cref="FlapjackException"/> when that is no success.</summary>
    public async Task<HttpResponseMessage> SendAsync(Call call, CancellationToken cancellationToken)
    {
        using var request = await WriteAsync(call, cancellationToken).ConfigureAwait(false);
        var response = await ReachAsync(() => http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken), cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode) return response;
        using (response) throw await FlapjackException.FromAsync(response, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits before the next attempt; throws what went wrong when it went wrong too often or does not get better.</summary>
    public async Task PauseAsync(int failures, FlapjackException fault, CancellationToken cancellationToken)
    {
        if (!fault.IsTransient || failures > options.MaxRetries) throw fault;
        var backOff = TimeSpan.FromTicks((long)Math.Min(LongestPause.Ticks, options.RetryDelay.Ticks * Math.Pow(2, failures - 1)));
        // Spread, so that clients that were cut together do not come back together.
        var spread = backOff * (0.5 + Random.Shared.NextDouble() / 2);
        await Task.Delay(fault.RetryAfter > spread ? fault.RetryAfter.Value : spread, options.Time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Faults of the connection become <c>CONNECTION_FAILED</c>.</summary>
    public static async Task<T> ReachAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw FlapjackException.NoConnection(fault.Message, fault);
        }
    }

    private async Task<T> RepeatAsync<T>(Call call, Func<HttpResponseMessage, Task<T>> read, CancellationToken cancellationToken)
    {
        for (var failures = 1; ; failures++)
        {
            try
            {
                using var response = await SendAsync(call, cancellationToken).ConfigureAwait(false);
                return await ReachAsync(() => read(response), cancellationToken).ConfigureAwait(false);
            }
            catch (JsonException fault)
            {
                throw new FlapjackException("BAD_ANSWER", "the answer is not the JSON that was expected; is this the address of a Flapjack server?", null, fault);
            }
            catch (FlapjackException fault) when (call.IsRepeatable || fault.Status is not null)
            {
                await PauseAsync(failures, fault, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<HttpRequestMessage> WriteAsync(Call call, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(call.Method, call.Path);
        var token = options.GetToken is { } get ? await get(cancellationToken).ConfigureAwait(false) : options.ApiKey;
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        if (options.OrgId is { } org) request.Headers.Add("X-Flapjack-Org", org.ToString());
        if (call.IdempotencyKey is not null) request.Headers.Add("Idempotency-Key", call.IdempotencyKey);
        if (call.LastEventId is not null) request.Headers.Add("Last-Event-ID", call.LastEventId);
        if (call.Raw is { } raw) request.Content = new ByteArrayContent(raw.Bytes) { Headers = { ContentType = raw.Type } };
        else if (call.Body is not null) request.Content = JsonContent.Create(call.Body, call.Body.GetType(), null, Wire.Json);
        return request;
    }
}
