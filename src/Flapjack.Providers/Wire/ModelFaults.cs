using System.Buffers;
using System.Net.Http.Headers;
using System.Text.Json;
using Flapjack.Runtime.Models;

namespace Flapjack.Providers.Wire;

/// <summary>Translates what goes wrong at a provider. Details are our own sentences; a provider's words appear only for MODEL_ERROR, shortened and cleaned.</summary>
internal static class ModelFaults
{
    private const int MaxErrorBody = 64 * 1024;

    private static readonly SearchValues<string> TooLong = SearchValues.Create(
        ["context_length_exceeded", "exceed_context_size", "prompt is too long", "input is too long", "maximum context length", "context length",
            "context window", "context size", "exceed context limit", "model_max_prompt_tokens_exceeded"], StringComparison.OrdinalIgnoreCase);

    private static readonly SearchValues<string> Refused = SearchValues.Create(
        ["content_filter", "content_policy", "invalid_prompt", "responsibleaipolicyviolation", "content management policy", "content filtering policy", "safety system"],
        StringComparison.OrdinalIgnoreCase);

    // How refusals of an answer's format speak, from OpenAI's own to those of engines that compile the schema to a grammar.
    private static readonly SearchValues<string> FormatWords = SearchValues.Create(
        ["response_format", "text.format", "output_config", "json_schema", "json_object", "json schema", "structured output", "grammar", "guided"], StringComparison.OrdinalIgnoreCase);

    public static ModelException Malformed(Exception? inner = null) => new(ModelErrors.Error, "The provider's stream was malformed.", inner: inner);

    /// <summary>The fault of a call that got no proper answer.</summary>
    public static ModelException Of(Exception fault) => fault switch
    {
        ModelException known => known,
        // The host may refuse an address while connecting, in its own words.
        HttpRequestException { InnerException: ModelException refused } => refused,
        OperationCanceledException => new(ModelErrors.Unavailable, "The provider stayed silent for too long.", inner: fault),
        HttpRequestException => new(ModelErrors.Unavailable, "The provider cannot be reached.", inner: fault),
        IOException => new(ModelErrors.Unavailable, "The connection to the provider broke off.", inner: fault),
        // What Utf8JsonReader throws for broken JSON, unexpected types and broken UTF-8.
        JsonException or InvalidOperationException or FormatException => Malformed(fault),
        _ => new(ModelErrors.Error, "The model call failed.", inner: fault),
    };

    /// <summary>The fault behind a status alone.</summary>
    public static ModelException OfStatus(int status, TimeSpan? retryAfter = null) =>
        Classify(new(status, null, null), null, retryAfter);

    /// <summary>The fault an answer with a failing status tells of.</summary>
    public static async Task<ModelException> OfAnswerAsync(HttpResponseMessage response, ModelEndpoint endpoint, TimeProvider time, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        var retryAfter = RetryAfter(response.Headers, time);
        var error = new ProviderError(status, null, null);
        try
        {
            error = ProviderError.Parse(await ReadAtMostAsync(response.Content, cancellationToken), status) ?? error;
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException or JsonException or OperationCanceledException)
        {
            // The status alone has to do.
        }
        return Classify(error with { Status = status }, endpoint, retryAfter);
    }

    /// <summary>The fault an error event in a stream tells of. Its type stands for the status the provider would have answered.</summary>
    public static ModelException OfEvent(ReadOnlySpan<byte> data, ModelEndpoint endpoint)
    {
        var reader = new Utf8JsonReader(data);
        return OfEvent(JsonElement.ParseValue(ref reader), endpoint);
    }

    public static ModelException OfEvent(JsonElement body, ModelEndpoint endpoint) =>
        Classify(ProviderError.Parse(body, null) ?? new(null, null, null), endpoint, null);

    private static ModelException Classify(ProviderError error, ModelEndpoint? endpoint, TimeSpan? retryAfter)
    {
        var status = error.Status ?? error.StatusOfType;
        var code = status is null ? ModelErrors.Error : ModelErrors.FromStatus(status.Value);
        // A busy or rejecting provider may mention context and content too; only a refusal of this request is judged by its words.
        if (code is ModelErrors.Error || status is 500)
        {
            var words = $"{error.Type} {error.Message}";
            if (status == 413 || words.AsSpan().ContainsAny(TooLong))
            {
                code = ModelErrors.ContextTooLong;
            }
            else if (words.AsSpan().ContainsAny(Refused))
            {
                code = ModelErrors.ContentFiltered;
            }
        }
        var formatRefused = code is ModelErrors.Error && $"{error.Field} {error.Message}".AsSpan().ContainsAny(FormatWords);
        return new ModelException(code, Detail(code, status, error.Message, endpoint), status, retryAfter) { FormatRefused = formatRefused };
    }

    private static string Detail(string code, int? status, string? message, ModelEndpoint? endpoint)
    {
        var answered = status is null ? "" : $" (status {status})";
        return code switch
        {
            ModelErrors.AuthFailed => $"The provider rejected the credential{answered}.",
            ModelErrors.RateLimited => $"The provider's rate limit is reached{answered}.",
            ModelErrors.Unavailable => $"The provider is unavailable or overloaded{answered}.",
            ModelErrors.ContextTooLong => $"The prompt does not fit the model's context{answered}.",
            ModelErrors.ContentFiltered => $"The provider refused the content{answered}.",
            _ when ProviderMessage.Clean(message, endpoint) is { } said => $"The provider refused the request{answered}: {said}",
            _ => $"The provider refused the request{answered}.",
        };
    }

    private static TimeSpan? RetryAfter(HttpResponseHeaders headers, TimeProvider time)
    {
        var wait = headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - time.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAtMostAsync(HttpContent content, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxErrorBody];
        using var body = await content.ReadAsStreamAsync(cancellationToken);
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return buffer.AsMemory(0, length);
    }
}
