using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Flapjack.Server.Tests.Files;

/// <summary>Contents that are what they begin like, and the one call that file tests repeat.</summary>
internal static class Samples
{
    private static readonly byte[] PngHead = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>A picture of this many bytes, none like the next.</summary>
    public static byte[] Png(int bytes = 64)
    {
        var png = new byte[bytes];
        new Random(bytes).NextBytes(png);
        PngHead.CopyTo(png, 0);
        return png;
    }

    public static byte[] Pdf(string text = "hello") => Encoding.ASCII.GetBytes($"%PDF-1.7\n% {text}\n%%EOF\n");

    /// <summary>A Word document with this body.</summary>
    public static byte[] Docx(string body, string part = "word/document.xml") => Zip((part,
        $"""<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>"""));

    public static byte[] Zip(params (string Name, string Content)[] entries)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in entries)
            {
                using var entry = new StreamWriter(zip.CreateEntry(name).Open());
                entry.Write(content);
            }
        }
        return stream.ToArray();
    }

    public static Task<HttpResponseMessage> UploadAsync(this HttpClient client, byte[] content, string name = "file", params (string Name, string Value)[] fields) =>
        client.PostAsync("/api/files", Form(content, name, fields), TestContext.Current.CancellationToken);

    /// <summary>Uploads and answers the file's id.</summary>
    public static async Task<Guid> UploadedAsync(this HttpClient client, byte[] content, string name = "file") =>
        (await client.UploadAsync(content, name).ShouldBe(201)).GetProperty("id").GetGuid();

    public static MultipartFormDataContent Form(byte[]? content, string name, params (string Name, string Value)[] fields)
    {
        var form = new MultipartFormDataContent();
        foreach (var (field, value) in fields) form.Add(new StringContent(value), field);
        if (content is null) return form;
        var file = new ByteArrayContent(content);
        file.Headers.ContentType = new MediaTypeHeaderValue("application/x-whatever");
        form.Add(file, "file", name);
        return form;
    }

    /// <summary>An attachment with its content inline.</summary>
    public static object Inline(string type, byte[] content, string? name = null) => new { type, name, data = Convert.ToBase64String(content) };

    public static JsonElement[] Items(this JsonElement array) => [.. array.EnumerateArray()];
}
