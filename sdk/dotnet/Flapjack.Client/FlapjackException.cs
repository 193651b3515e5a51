using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Flapjack.Client;

/// <summary>A field of a request and what is wrong with it.</summary>
public sealed record FieldError(string Field, string Message);

/// <summary>Why a call failed.</summary>
public sealed class FlapjackException : Exception
{
    internal FlapjackException(string code, string? detail, HttpStatusCode? status = null, Exception? cause = null)
        : base(detail is null ? code : $"{code}: {detail}", cause) => (Code, Detail, Status) = (code, detail, status);

    /// <summary>The server's code (<c>NOT_FOUND</c>, <c>VALIDATION_ERROR</c>, …), or <c>CONNECTION_FAILED</c>, <c>STREAM_LOST</c> or <c>BAD_ANSWER</c> from this client.</summary>
    public string Code { get; }

    /// <summary>What happened, for people.</summary>
    public string? Detail { get; }

    /// <summary>The HTTP status; null when there was no answer.</summary>
    public HttpStatusCode? Status { get; }

    /// <summary>The wrong fields, when the server names them one by one.</summary>
    public IReadOnlyList<FieldError> Fields { get; private init; } = [];

    /// <summary>The id under which the server's log has more.</summary>
    public string? RequestId { get; private init; }

    /// <summary>When to try again, if the server said so.</summary>
    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>Whether the same request may do better in a moment.</summary>
    public bool IsTransient =>
        Status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout || Code is "HTTP_502" or "IDEMPOTENCY_IN_PROGRESS" or "CONNECTION_FAILED";

    internal static FlapjackException NoConnection(string detail, Exception? cause = null) => new("CONNECTION_FAILED", detail, null, cause);

    internal static async Task<FlapjackException> FromAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        Body? body = null;
        try
        {
            body = await response.Content.ReadFromJsonAsync<Body>(Wire.Json, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is JsonException or HttpRequestException or IOException or InvalidOperationException)
        {
            // Something between here and the server answered; the status has to do.
        }
        return new(body?.Error ?? $"HTTP_{(int)response.StatusCode}", body?.Detail, response.StatusCode)
        {
            Fields = body?.Fields ?? [],
            RequestId = body?.RequestId ?? (response.Headers.TryGetValues("X-Request-Id", out var ids) ? ids.First() : null),
            RetryAfter = response.Headers.RetryAfter?.Delta,
        };
    }

    private sealed record Body(string? Error, string? Detail, IReadOnlyList<FieldError>? Fields, string? RequestId);
}
