using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flapjack.Server.Accounts.Pages;

/// <summary>The page where links for logging in and signing up lead. It calls the endpoints of accounts and keys and nothing else.</summary>
internal static class AccountPageEndpoints
{
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly EmbeddedFile Document = EmbeddedFile.Load("account.account.html", "text/html; charset=utf-8");
    private static readonly EmbeddedFile Script = EmbeddedFile.Load("account.account.js", "text/javascript; charset=utf-8");
    private static readonly EmbeddedFile Style = EmbeddedFile.Load("account.account.css", "text/css; charset=utf-8");

    public static void Map(IEndpointRouteBuilder app)
    {
        var pages = app.MapGroup("").From("ext").Public().ExcludeFromDescription();
        pages.MapGet("/login", Page);
        pages.MapGet("/signup", Page);
        pages.MapGet("/login/{asset}", Asset);
    }

    /// <summary>A page for people: logs in, with the token of a link too, signs up, sets a password and makes API keys.</summary>
    private static FileContentHttpResult Page(HttpContext http) => Document.ServedAsPage(http, Policy);

    /// <summary>Script and style of the page.</summary>
    private static FileContentHttpResult Asset(string asset, HttpContext http)
    {
        var file = asset switch
        {
            "account.js" => Script,
            "account.css" => Style,
            _ => throw ApiException.NotFound(),
        };
        return file.Served(http);
    }
}
