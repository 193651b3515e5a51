using System.Text.Json;

namespace Flapjack.Providers.Wire;

/// <summary>What a provider says went wrong, whatever form it chose.</summary>
/// <param name="Status">HTTP status, also of a status given as a numeric code in a stream.</param>
/// <param name="Type">Type and code.</param>
/// <param name="Message">Text for people.</param>
internal sealed record ProviderError(int? Status, string? Type, string? Message)
{
    /// <summary>The field at fault, where the provider names it.</summary>
    public string? Field { get; init; }

    /// <summary>The status a provider would have answered for this type; null when it is unknown.</summary>
    public int? StatusOfType => Type?.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(StatusOf).FirstOrDefault(status => status is not null);

    public static ProviderError? Parse(ReadOnlyMemory<byte> body, int? status)
    {
        if (body.IsEmpty)
        {
            return null;
        }
        using var document = JsonDocument.Parse(body);
        return Parse(document.RootElement, status);
    }

    /// <summary>Reads <c>{"error":{…}}</c> (OpenAI, Anthropic), <c>{"error":"…"}</c> (Ollama), <c>{"response":{"error":{…}}}</c> (a failed response) and flat forms (vLLM).</summary>
    public static ProviderError? Parse(JsonElement body, int? status)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        var error = body.TryGetProperty("response", out var response) && response.ValueKind == JsonValueKind.Object ? response : body;
        if (error.TryGetProperty("error", out var inner))
        {
            if (inner.ValueKind == JsonValueKind.String)
            {
                return new(status, null, inner.GetString());
            }
            error = inner.ValueKind == JsonValueKind.Object ? inner : error;
        }
        if (error.TryGetProperty("code", out var code) && code.ValueKind == JsonValueKind.Number && code.TryGetInt32(out var number) && number is >= 400 and < 600)
        {
            status ??= number;
        }
        return new(status, $"{error.Text("code")} {error.Text("type")}", error.Text("message") ?? error.Text("detail")) { Field = error.Text("param") };
    }

    private static int? StatusOf(string type) => type switch
    {
        "invalid_request_error" or "invalid_request" or "invalid_prompt" or "context_length_exceeded" => 400,
        "authentication_error" or "invalid_api_key" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" or "model_not_found" => 404,
        "request_too_large" => 413,
        "rate_limit_error" or "rate_limit_exceeded" or "insufficient_quota" => 429,
        "api_error" or "server_error" or "internal_server_error" => 500,
        "timeout_error" => 504,
        "overloaded_error" or "server_overloaded" or "server_is_overloaded" => 529,
        _ => null,
    };
}
