using System.Globalization;
using System.Text.Json;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Platform.Http;

/// <summary>Turns every failure into the contract's error object, and answers 404 and 405 where routing found nothing.</summary>
internal sealed partial class ErrorResponses(RequestDelegate next, ILogger<ErrorResponses> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (!context.Response.HasStarted && context.Response is { StatusCode: 404 or 405 or 413 or 415, ContentLength: null, ContentType: null }) await WriteAsync(context, ForStatus(context.Response.StatusCode));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            await WriteAsync(context, Translate(context, exception));
        }
    }

    private ApiException Translate(HttpContext context, Exception exception)
    {
        switch (exception)
        {
            case ApiException known:
                return known;
            case BadHttpRequestException bad:
                return bad.StatusCode == 413 ? ForStatus(413) : ApiException.BadRequest("the request is malformed");
            case var _ when DatabaseFaults.IsOutage(exception):
                LogDatabase(logger, exception, context.Request.Path);
                return ApiException.Unavailable("the database is not available, try again");
            default:
                LogFailed(logger, exception, context.Request.Method, context.Request.Path);
                return new ApiException(500, "INTERNAL_ERROR", "the server failed; the log has the reason under this request id");
        }
    }

    private static ApiException ForStatus(int status) => status switch
    {
        405 => new(405, "METHOD_NOT_ALLOWED"),
        413 => new(413, "PAYLOAD_TOO_LARGE"),
        415 => new(415, "UNSUPPORTED_MEDIA_TYPE"),
        _ => new(404, "NOT_FOUND"),
    };

    public static async Task WriteAsync(HttpContext context, ApiException error)
    {
        var response = context.Response;
        response.StatusCode = error.Status;
        response.ContentType = "application/json; charset=utf-8";
        if (error.Status == 401) response.Headers.WWWAuthenticate = "Bearer";
        if (error.RetryAfter is { } wait) response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        if (error.Limit is { } limit)
        {
            response.Headers["X-RateLimit-Limit"] = limit.ToString(CultureInfo.InvariantCulture);
            response.Headers["X-RateLimit-Remaining"] = "0";
            response.Headers["X-RateLimit-Reset"] = response.Headers.RetryAfter;
        }
        await using var writer = new Utf8JsonWriter(response.BodyWriter, new JsonWriterOptions { Encoder = WireJson.Responses.Encoder });
        if (context.RequestServices.GetServices<IErrorForm>().FirstOrDefault(form => form.Covers(context.Request.Path)) is { } own)
        {
            own.Write(writer, error);
            return;
        }
        writer.WriteStartObject();
        writer.WriteString("error", error.Code);
        if (error.Detail is not null) writer.WriteString("detail", error.Detail);
        if (error.SignupUrl is not null) writer.WriteString("signupUrl", error.SignupUrl);
        if (error.Fields is { } fields)
        {
            writer.WriteStartArray("fields");
            foreach (var (field, message) in fields)
            {
                writer.WriteStartObject();
                writer.WriteString("field", field);
                writer.WriteString("message", message);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        if (response.Headers.TryGetValue(RequestIds.Header, out var id)) writer.WriteString("request_id", id.ToString());
        writer.WriteEndObject();
    }

    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, Exception exception, string method, PathString path);

    [LoggerMessage(2, LogLevel.Error, "The database did not serve {Path}")]
    private static partial void LogDatabase(ILogger logger, Exception exception, PathString path);
}

/// <summary>How failures look below an address where another protocol is spoken. Features bring their own.</summary>
internal interface IErrorForm
{
    bool Covers(PathString path);

    /// <summary>Writes the body; status and headers are set.</summary>
    void Write(Utf8JsonWriter json, ApiException error);
}
