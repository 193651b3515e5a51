using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flapjack.Server.Operations;

internal static class DocsEndpoints
{
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static void Map(IEndpointRouteBuilder app)
    {
        var docs = app.MapGroup("").WithTags("operations").From("ext").Public();
        docs.MapGet("/openapi/v1.json", Document).WithName("openApiDocument").Produces(200, contentType: "application/json");
        docs.MapGet("/", Root).ExcludeFromDescription();
        docs.MapGet("/docs", Page).WithName("apiBrowser").Produces<string>(200, "text/html");
        docs.MapGet("/docs/{asset}", Asset).ExcludeFromDescription();
    }

    /// <summary>The OpenAPI 3.1 document of this server.</summary>
    private static FileContentHttpResult Document(HttpContext http) => Files.Document.Served(http);

    /// <summary>A page for people to read and try the API in.</summary>
    private static FileContentHttpResult Page(HttpContext http) => Files.Page.ServedAsPage(http, Policy);

    // Who comes with a browser looks for something to see; to programs this address is unknown like any other.
    private static RedirectHttpResult Root(HttpContext http) =>
        http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase) ? TypedResults.Redirect("/docs") : throw ApiException.NotFound();

    /// <summary>Script and style of the page.</summary>
    private static FileContentHttpResult Asset(string asset, HttpContext http)
    {
        var file = asset switch
        {
            "docs.js" => Files.Script,
            "docs.css" => Files.Style,
            _ => throw ApiException.NotFound(),
        };
        return file.Served(http);
    }

    private static class Files
    {
        public static readonly EmbeddedFile Document = EmbeddedFile.Load("openapi.v1.json", "application/json; charset=utf-8");
        public static readonly EmbeddedFile Page = EmbeddedFile.Load("docs.index.html", "text/html; charset=utf-8");
        public static readonly EmbeddedFile Script = EmbeddedFile.Load("docs.docs.js", "text/javascript; charset=utf-8");
        public static readonly EmbeddedFile Style = EmbeddedFile.Load("docs.docs.css", "text/css; charset=utf-8");
    }
}
