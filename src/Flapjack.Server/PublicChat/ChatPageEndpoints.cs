using System.Text;
using System.Text.Encodings.Web;
using Flapjack.Server.Agents.Publishing;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flapjack.Server.PublicChat;

/// <summary>The page on which people talk to a published agent. It calls the endpoints of <see cref="PublicChatEndpoints"/> and nothing else.</summary>
internal static class ChatPageEndpoints
{
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors ";
    private const string Html = "text/html; charset=utf-8";

    private static readonly EmbeddedFile Script = EmbeddedFile.Load("chat.chat.js", "text/javascript; charset=utf-8");
    private static readonly EmbeddedFile Markdown = EmbeddedFile.Load("chat.markdown.js", "text/javascript; charset=utf-8");
    private static readonly EmbeddedFile Style = EmbeddedFile.Load("chat.chat.css", "text/css; charset=utf-8");
    private static readonly EmbeddedFile Icon = EmbeddedFile.Load("chat.icon.svg", "image/svg+xml");
    private static readonly string Page = Encoding.UTF8.GetString(EmbeddedFile.Load("chat.chat.html", Html).Bytes);
    private static readonly string Missing = Encoding.UTF8.GetString(EmbeddedFile.Load("chat.missing.html", Html).Bytes);

    public static void Map(IEndpointRouteBuilder app)
    {
        var pages = app.MapGroup("/chat").WithTags("public chat").From("doc").Public();
        pages.MapGet("/{slug}", Show).WithName("publicChatPage").Produces<string>(200, "text/html");
        pages.MapGet("/assets/{asset}", Asset).ExcludeFromDescription();
    }

    /// <summary>The page of a published chat; a page that says so when there is none.</summary>
    private static async Task<ContentHttpResult> Show(string slug, HttpContext http, Publications publications, CancellationToken cancellationToken)
    {
        var chat = await publications.FindAsync(slug, cancellationToken);
        var headers = http.Response.Headers;
        // Origins are checked when they are saved; a page that may use the chat may also show it.
        headers.ContentSecurityPolicy = Policy + (chat?.Publication.Origins is { Count: > 0 } origins ? $"'self' {string.Join(' ', origins)}" : "'none'");
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-cache";
        if (chat is null) return TypedResults.Text(Missing, Html, statusCode: 404);
        var encode = HtmlEncoder.Default;
        return TypedResults.Text(Page.Replace("{{title}}", encode.Encode(chat.Title), StringComparison.Ordinal).Replace("{{description}}", encode.Encode(chat.Description ?? ""), StringComparison.Ordinal), Html);
    }

    /// <summary>Scripts, style and icon of the page.</summary>
    private static FileContentHttpResult Asset(string asset, HttpContext http)
    {
        var file = asset switch
        {
            "chat.js" => Script,
            "markdown.js" => Markdown,
            "chat.css" => Style,
            "icon.svg" => Icon,
            _ => throw ApiException.NotFound(),
        };
        return file.Served(http);
    }
}
