using System.Security.Cryptography;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Flapjack.Server.Operations;

internal static class DocsEndpoints
{
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static void Map(IEndpointRouteBuilder app)
    {
        var docs = app.MapGroup("").WithTags("operations").From("ext").Public();
        docs.MapGet("/openapi/v1.json", Document).WithName("openApiDocument").Produces(200, contentType: "application/json");
        docs.MapGet("/docs", Page).WithName("apiBrowser").Produces<string>(200, "text/html");
        docs.MapGet("/docs/{asset}", Asset).ExcludeFromDescription();
    }

    /// <summary>The OpenAPI 3.1 document of this server.</summary>
    private static FileContentHttpResult Document() => Served(EmbeddedFile.Document);

    /// <summary>A page for people to read and try the API in.</summary>
    private static FileContentHttpResult Page(HttpContext http)
    {
        http.Response.Headers.ContentSecurityPolicy = Policy;
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        return Served(EmbeddedFile.Page);
    }

    /// <summary>Script and style of the page.</summary>
    private static FileContentHttpResult Asset(string asset, HttpContext http)
    {
        http.Response.Headers.XContentTypeOptions = "nosniff";
        return Served(asset switch
        {
            "docs.js" => EmbeddedFile.Script,
            "docs.css" => EmbeddedFile.Style,
            _ => throw ApiException.NotFound(),
        });
    }

    private static FileContentHttpResult Served(EmbeddedFile file) => TypedResults.Bytes(file.Bytes, file.ContentType, entityTag: file.Tag);

    private sealed record EmbeddedFile(byte[] Bytes, string ContentType, EntityTagHeaderValue Tag)
    {
        public static readonly EmbeddedFile Document = Load("openapi.v1.json", "application/json; charset=utf-8");
        public static readonly EmbeddedFile Page = Load("docs.index.html", "text/html; charset=utf-8");
        public static readonly EmbeddedFile Script = Load("docs.docs.js", "text/javascript; charset=utf-8");
        public static readonly EmbeddedFile Style = Load("docs.docs.css", "text/css; charset=utf-8");

        private static EmbeddedFile Load(string name, string contentType)
        {
            using var stream = typeof(EmbeddedFile).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not embedded.");
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return new(bytes, contentType, new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8))}\""));
        }
    }
}
