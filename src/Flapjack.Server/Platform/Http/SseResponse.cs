namespace Flapjack.Server.Platform.Http;

/// <summary>The only place that knows how a stream of events looks on the wire.</summary>
internal static class SseResponse
{
    public static readonly byte[] KeepAlive = ": keep-alive\n\n"u8.ToArray();

    /// <summary>Sends the headers at once; a slow reader may stay as slow as it likes.</summary>
    public static Task StartAsync(HttpContext context)
    {
        var response = context.Response;
        response.StatusCode = 200;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache, no-transform";
        response.Headers["X-Accel-Buffering"] = "no";
        if (context.Request.Protocol == HttpProtocol.Http11) response.Headers.Connection = "keep-alive";
        if (context.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = null;
        return response.StartAsync(context.RequestAborted);
    }
}
