using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Flapjack.Server.Platform.Http;

/// <summary>A file that is part of the program, with the tag by which browsers know it again.</summary>
internal sealed record EmbeddedFile(byte[] Bytes, string ContentType, EntityTagHeaderValue Tag)
{
    public static EmbeddedFile Load(string name, string contentType)
    {
        using var stream = typeof(EmbeddedFile).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not embedded.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return new(bytes, contentType, new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8))}\""));
    }

    /// <summary>The file. Browsers ask each time whether it is still the same, and take it for nothing else than it is.</summary>
    public FileContentHttpResult Served(HttpContext http)
    {
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.Headers.CacheControl = "no-cache";
        return TypedResults.Bytes(Bytes, ContentType, entityTag: Tag);
    }

    /// <summary>A page for people, which runs what its policy allows and tells no other site its address.</summary>
    public FileContentHttpResult ServedAsPage(HttpContext http, string policy)
    {
        http.Response.Headers.ContentSecurityPolicy = policy;
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        return Served(http);
    }
}
