using System.Net.ServerSentEvents;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Wire;

/// <summary>Sends a request and hands out the answer as it streams. Every fault leaves here as a <see cref="ModelException"/>; only the caller's own cancellation stays what it is.</summary>
internal sealed class ModelTransport(HttpClient http, TimeProvider time, ProviderOptions options)
{
    public async Task<ModelCall> StartAsync(HttpRequestMessage request, ModelEndpoint endpoint, AnswerReader reader, CancellationToken cancellationToken)
    {
        var watch = new IdleWatch(time, options.IdleTimeout, cancellationToken);
        HttpResponseMessage? response = null;
        try
        {
            response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, watch.Token);
            watch.Renew();
            if (!response.IsSuccessStatusCode)
            {
                throw await ModelFaults.OfAnswerAsync(response, endpoint, time, watch.Token);
            }
            var body = await response.Content.ReadAsStreamAsync(watch.Token);
            return new ModelCall(response, new GuardedStream(body, watch, options), reader, watch, cancellationToken);
        }
        catch (Exception fault)
        {
            response?.Dispose();
            watch.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw ModelFaults.Of(fault);
        }
    }
}

/// <summary>One answer on its way.</summary>
internal sealed class ModelCall : IAsyncDisposable
{
    /// <summary>How long the usage is waited for after a finish reason when a server leaves the socket open.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    private readonly HttpResponseMessage response;
    private readonly AnswerReader reader;
    private readonly GuardedStream body;
    private readonly IdleWatch watch;
    private readonly CancellationToken caller;
    private readonly IAsyncEnumerator<SseItem<ChatResponseUpdate?>> events;
    private bool finished;

    public ModelCall(HttpResponseMessage response, GuardedStream body, AnswerReader reader, IdleWatch watch, CancellationToken caller)
    {
        (this.response, this.body, this.reader, this.watch, this.caller) = (response, body, reader, watch, caller);
        events = SseParser.Create(body, reader.Read).EnumerateAsync(watch.Token).GetAsyncEnumerator(CancellationToken.None);
    }

    /// <summary>The next update; null when the answer is whole.</summary>
    public async ValueTask<ChatResponseUpdate?> NextAsync()
    {
        try
        {
            while (!reader.Complete && await events.MoveNextAsync())
            {
                body.EventSeen();
                if (reader.Ended)
                {
                    watch.CloseWithin(Rest);
                }
                if (events.Current.Data is { } update)
                {
                    return update;
                }
            }
        }
        catch (Exception fault)
        {
            caller.ThrowIfCancellationRequested();
            if (!reader.Ended)
            {
                throw ModelFaults.Of(fault);
            }
            // The answer is whole; how its connection ends is of no interest.
        }
        if (finished)
        {
            return null;
        }
        finished = true;
        return reader.Ended ? reader.Finish() : throw new ModelException(ModelErrors.Unavailable, "The provider's answer broke off before its end.");
    }

    public async ValueTask DisposeAsync()
    {
        // The parser gives its pooled buffers back here.
        await events.DisposeAsync();
        response.Dispose();
        watch.Dispose();
    }
}
