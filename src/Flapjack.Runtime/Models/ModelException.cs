namespace Flapjack.Runtime.Models;

/// <summary>A model call that failed. Every provider translates its own faults into this one, so nothing above it knows vendors.</summary>
/// <param name="code">One of <see cref="ModelErrors"/>; it travels to the client unchanged.</param>
/// <param name="detail">What a person should read. Never a credential, a host name or an upstream body.</param>
/// <param name="status">The HTTP status the provider answered with; null when there was none (no connection, silence, broken stream).</param>
/// <param name="retryAfter">How long the provider asked to wait, when it did.</param>
/// <param name="inner">The cause, for the log only.</param>
public sealed class ModelException(string code, string detail, int? status = null, TimeSpan? retryAfter = null, Exception? inner = null)
    : Exception(detail, inner)
{
    /// <summary>Stream error code, one of <see cref="ModelErrors"/>.</summary>
    public string Code { get; } = code;

    /// <summary>HTTP status of the provider's answer, or null.</summary>
    public int? Status { get; } = status;

    /// <summary>The provider's own <c>Retry-After</c>, or null.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>The provider does not take the format it was sent; the same request without it may go well.</summary>
    public bool FormatRefused { get; init; }

    /// <summary>Another attempt may help: 408, 409, 429, 5xx (529 included), or no answer at all.</summary>
    public bool IsTransient => Code is ModelErrors.Unavailable or ModelErrors.RateLimited;
}

/// <summary>Stream error codes that come from model calls.</summary>
public static class ModelErrors
{
    /// <summary>The provider refused the request, or its stream was malformed.</summary>
    public const string Error = "MODEL_ERROR";
    /// <summary>401 or 403, or there is no credential at all.</summary>
    public const string AuthFailed = "MODEL_AUTH_FAILED";
    /// <summary>408, 409, 5xx, 529, no connection, silence, or a stream that broke off before its end marker.</summary>
    public const string Unavailable = "MODEL_UNAVAILABLE";
    /// <summary>429.</summary>
    public const string RateLimited = "MODEL_RATE_LIMITED";
    /// <summary>The prompt does not fit the model's context.</summary>
    public const string ContextTooLong = "CONTEXT_TOO_LONG";
    /// <summary>The provider refused the content.</summary>
    public const string ContentFiltered = "CONTENT_FILTERED";
    /// <summary>The answer does not have the format that was asked for, and repairs did not help.</summary>
    public const string SchemaMismatch = "OUTPUT_SCHEMA_MISMATCH";

    /// <summary>The code that belongs to an HTTP status when nothing in the body says more.</summary>
    public static string FromStatus(int status) => status switch
    {
        401 or 403 => AuthFailed,
        429 => RateLimited,
        408 or 409 or >= 500 => Unavailable,
        _ => Error,
    };
}
