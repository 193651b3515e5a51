using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Flapjack.Server.Platform.Http;

/// <summary>A form with files (<c>multipart/form-data</c>), read part by part as it arrives. Another content type is 415, a broken form 400.</summary>
/// <typeparam name="T">A public record of the form's parts, for the API description.</typeparam>
internal sealed class FormBody<T>(MultipartReader reader) : IEndpointParameterMetadataProvider
{
    /// <summary>What a form may have beside its file: other parts, headers and boundaries.</summary>
    public const long Overhead = 64 * 1024;

    private const int MaxParts = 20;
    private int _parts;

    public static ValueTask<FormBody<T>?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var request = context.Request;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
            throw new ApiException(415, "UNSUPPORTED_MEDIA_TYPE", "send multipart/form-data");
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary);
        if (boundary.Length is 0 or > 200) throw ApiException.BadRequest("the form has no boundary");
        var limit = context.GetEndpoint()?.Metadata.GetMetadata<BodyLimit>()?.Bytes ?? BodyLimit.Default;
        if (request.ContentLength > limit) throw RequestBytes.TooLarge(limit);
        return new(new FormBody<T>(new MultipartReader(boundary.ToString(), request.Body)));
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        // "*/*" for the same reason as with JSON bodies: who calls comes before what they send.
        builder.Metadata.Add(new AcceptsMetadata(["multipart/form-data", "*/*"], typeof(T)));

    /// <summary>Hands over one part after the other.</summary>
    public async Task ReadAsync(Func<FormPart, Task> take, CancellationToken cancellationToken)
    {
        try
        {
            while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
            {
                if (++_parts > MaxParts) throw ApiException.BadRequest($"the form has more than {MaxParts} parts");
                if (FormPart.Of(section) is { } part) await take(part);
            }
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException and not BadHttpRequestException)
        {
            throw ApiException.BadRequest("the form is broken");
        }
    }
}

/// <summary>One part of a form.</summary>
internal sealed class FormPart
{
    public required string Name { get; init; }

    /// <summary>As its sender gave it; null for plain fields.</summary>
    public required string? FileName { get; init; }

    public required string? ContentType { get; init; }

    /// <summary>To be read before the next part.</summary>
    public required Stream Content { get; init; }

    /// <summary>Null for a part without a name.</summary>
    public static FormPart? Of(MultipartSection section)
    {
        if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)) return null;
        var name = HeaderUtilities.RemoveQuotes(disposition.Name).ToString();
        var fileName = disposition.FileNameStar.HasValue ? disposition.FileNameStar : HeaderUtilities.RemoveQuotes(disposition.FileName);
        return name.Length == 0 ? null : new() { Name = name, FileName = fileName.Value, ContentType = section.ContentType, Content = section.Body };
    }

    /// <summary>The part as text.</summary>
    public async Task<string> TextAsync(int maxBytes, CancellationToken cancellationToken)
    {
        var bytes = new byte[maxBytes + 1];
        var length = await Content.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        if (length > maxBytes) throw ApiException.Invalid(Name, $"has more than {maxBytes} bytes");
        var text = Encoding.UTF8.GetString(bytes, 0, length).Trim();
        return text.Contains('\0', StringComparison.Ordinal) ? throw ApiException.BadRequest($"{Name}: must not contain the character U+0000") : text;
    }
}
