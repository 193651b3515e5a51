using System.Text;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Mcp.Connections;
using Microsoft.Extensions.AI;
using ModelContextProtocol.Protocol;

namespace Flapjack.Server.Mcp.Tools;

/// <summary>What a server answered to a call, as a model reads it.</summary>
internal static class ToolContent
{
    private const int MaxImages = 8, MaxImageBytes = 5 * 1024 * 1024;

    /// <summary>Structured content where there is some, else the texts, one a line. Images come beside them. An error of the tool is thrown.</summary>
    public static object? Of(CallToolResult result)
    {
        var (text, images) = Read(result.Content ?? []);
        if (result.IsError == true) throw new ToolException(ToolErrors.Failed, text.Length > 0 ? text : result.StructuredContent?.GetRawText());
        object? value = result.StructuredContent is { ValueKind: not (System.Text.Json.JsonValueKind.Null or System.Text.Json.JsonValueKind.Undefined) } structured ? structured : text;
        return images.Count == 0 ? value : new ToolOutput(value, images);
    }

    private static (string Text, List<DataContent> Images) Read(IList<ContentBlock> blocks)
    {
        var text = new StringBuilder();
        var images = new List<DataContent>();
        foreach (var block in blocks)
        {
            if (Line(block, images) is not { } line) continue;
            if (text.Length > 0) text.Append('\n');
            text.Append(line);
        }
        return (text.ToString(), images);
    }

    private static string? Line(ContentBlock block, List<DataContent> images) => block switch
    {
        TextContentBlock { Text: { } text } => Storable(text),
        ImageContentBlock image => Image(image, images),
        AudioContentBlock audio => $"[audio {McpFault.Words(audio.MimeType)}]",
        EmbeddedResourceBlock { Resource: TextResourceContents { Text: { } text } } => Storable(text),
        EmbeddedResourceBlock { Resource: { } resource } => $"[resource {McpFault.Words(resource.Uri ?? "")}]",
        ResourceLinkBlock link => $"[resource {McpFault.Words(link.Name)}: {McpFault.Words(link.Uri)}]",
        _ => null,
    };

    private static string Image(ImageContentBlock image, List<DataContent> images)
    {
        var bytes = BytesOf(image);
        // What it is says the content: a wrong type would make the provider refuse the prompt.
        if (images.Count < MaxImages && bytes.Length <= MaxImageBytes && TypeOf(bytes.Span) is { } type)
        {
            images.Add(new DataContent(bytes, type));
            return $"[image {type}, {bytes.Length} bytes]";
        }
        return $"[image {McpFault.Words(image.MimeType)}, not shown]";
    }

    private static ReadOnlyMemory<byte> BytesOf(ImageContentBlock image)
    {
        try
        {
            return image.DecodedData;
        }
        catch (FormatException)
        {
            return default;
        }
    }

    // PostgreSQL's texts have no place for U+0000.
    private static string Storable(string text) => text.Replace('\0', ' ');

    private static string? TypeOf(ReadOnlySpan<byte> bytes) =>
        bytes.Length > 8 && bytes[0] == 0x89 && bytes[1..].StartsWith("PNG\r\n"u8) ? "image/png"
        : bytes.Length > 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF ? "image/jpeg"
        : bytes.StartsWith("GIF8"u8) ? "image/gif"
        : bytes.Length > 12 && bytes.StartsWith("RIFF"u8) && bytes[8..].StartsWith("WEBP"u8) ? "image/webp"
        : null;
}
