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

    public FileContentHttpResult Served() => TypedResults.Bytes(Bytes, ContentType, entityTag: Tag);
}
