namespace Flapjack.Server.Platform.Http;

/// <summary>Puts the headers on every response that name the request, the server and the contract it follows.</summary>
internal static class RequestIds
{
    public const string Header = "X-Request-Id";
    public const string Compat = "2026-05-11";
    public static readonly string Version = typeof(RequestIds).Assembly.GetName().Version!.ToString(3);

    public static Task Middleware(HttpContext context, RequestDelegate next)
    {
        var sent = context.Request.Headers[Header].ToString();
        var headers = context.Response.Headers;
        headers[Header] = IsValid(sent) ? sent : Ids.New().ToString("N");
        headers["X-Flapjack-Compat"] = Compat;
        headers["Server-Version"] = Version;
        return next(context);
    }

    private static bool IsValid(string id) => id.Length is >= 8 and <= 128 && !id.AsSpan().ContainsAnyExceptInRange('!', '~');
}
