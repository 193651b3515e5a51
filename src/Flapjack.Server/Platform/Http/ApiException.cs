namespace Flapjack.Server.Platform.Http;

/// <summary>An answer other than success. Thrown by handlers and what they call; <see cref="ErrorResponses"/> writes it.</summary>
internal sealed class ApiException(int status, string code, string? detail = null, IReadOnlyList<FieldError>? fields = null) : Exception(detail ?? code)
{
    public int Status { get; } = status;
    public string Code { get; } = code;
    public string? Detail { get; } = detail;
    public IReadOnlyList<FieldError>? Fields { get; } = fields;
    public TimeSpan? RetryAfter { get; init; }
    /// <summary>Of a 429 with a limit of its own.</summary>
    public int? Limit { get; init; }
    public string? SignupUrl { get; init; }

    public static ApiException NotFound(string? what = null) => new(404, "NOT_FOUND", what is null ? null : $"{what} not found");

    public static ApiException Unauthorized(string? detail = null) => new(401, "UNAUTHORIZED", detail);

    public static ApiException Forbidden(string detail) => new(403, "FORBIDDEN", detail);

    public static ApiException Conflict(string detail) => new(409, "CONFLICT", detail);

    public static ApiException BadRequest(string detail) => new(400, "INVALID_REQUEST", detail);

    public static ApiException Invalid(string field, string message) => new(422, "VALIDATION_ERROR", $"{field}: {message}");

    public static ApiException Unavailable(string detail) => new(503, "SERVICE_UNAVAILABLE", detail) { RetryAfter = TimeSpan.FromSeconds(2) };
}

/// <summary>One field of a request and what is wrong with it.</summary>
internal sealed record FieldError(string Field, string Message);

/// <summary>Collects the faults of one request, so that a client learns of all of them at once.</summary>
internal sealed class FieldErrors
{
    private readonly List<FieldError> _errors = [];

    public void Add(string field, string message) => _errors.Add(new(field, message));

    public int Count => _errors.Count;

    public void AddRange(FieldErrors others) => _errors.AddRange(others._errors);

    /// <summary>Throws 422 when there is any fault.</summary>
    public void ThrowIfAny()
    {
        if (_errors.Count == 0) return;
        var first = _errors[0];
        throw new ApiException(422, "VALIDATION_ERROR", $"{first.Field}: {first.Message}", _errors.Count > 1 ? _errors : null);
    }
}
