using System.Text.Json;
using System.Text.RegularExpressions;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.OpenAICompat;

/// <summary>Failures as clients of OpenAI's API read them, with this server's codes.</summary>
internal sealed partial class OpenAIErrorForm : IErrorForm
{
    public bool Covers(PathString path) => path.StartsWithSegments("/v1", StringComparison.Ordinal);

    public void Write(Utf8JsonWriter json, ApiException error) => WriteError(json, error);

    /// <summary><c>{"error":{…}}</c>, also the last event of a stream that failed.</summary>
    public static void WriteError(Utf8JsonWriter json, ApiException error)
    {
        json.WriteStartObject();
        json.WriteStartObject("error");
        json.WriteString("message", error.Detail ?? error.Code);
        json.WriteString("type", TypeOf(error.Status));
        if (FieldOf(error) is { } field) json.WriteString("param", field);
        else json.WriteNull("param");
        json.WriteString("code", error.Code);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string TypeOf(int status) => status switch
    {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    };

    // The detail of a faulty request begins with the field.
    private static string? FieldOf(ApiException error) =>
        error.Code is "VALIDATION_ERROR" or "INVALID_REQUEST" or "PAYLOAD_TOO_LARGE" or "UNSUPPORTED_MEDIA_TYPE" or "UPSTREAM_ERROR" or ModelTargets.Unknown && error.Detail is { } detail && Field().Match(detail) is { Success: true } match ? match.Groups[1].Value : null;

    [GeneratedRegex(@"^([A-Za-z0-9_.\[\]-]+): ")]
    private static partial Regex Field();
}
