using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Tests;

/// <summary>Images and files as each vendor publishes their form.</summary>
public sealed class AttachmentTests : ProviderTest
{
    private static readonly byte[] Bytes = [0xFB, 0xEF, 0xBE, 0xFF, 1];
    private const string Base64 = "++++/wE=";

    private static readonly ChatMessage[] Message =
    [
        new(ChatRole.User, [
            new DataContent(Bytes, "image/png") { Name = "a.png" },
            new DataContent(Bytes, "application/pdf") { Name = "b \"2\".pdf" },
            new DataContent("größe"u8.ToArray(), "text/plain") { Name = "c.txt" },
            new TextContent("Compare.")]),
    ];

    [Fact]
    public async Task Responses_take_images_and_files_as_data_uris() => (await SendAsync(Protocol.Responses)).GetProperty("input")[0].GetProperty("content").GetRawText().ShouldBe(
        $$"""[{"type":"input_image","image_url":"data:image/png;base64,{{Base64}}"},{"type":"input_file","filename":"b \"2\".pdf","file_data":"data:application/pdf;base64,{{Base64}}"},"""
        + """{"type":"input_file","filename":"c.txt","file_data":"data:text/plain;base64,Z3LDtsOfZQ=="},{"type":"input_text","text":"Compare."}]""");

    [Fact]
    public async Task Chat_Completions_take_images_and_pdf_and_are_told_of_the_rest() => (await SendAsync(Protocol.ChatCompletions)).GetProperty("messages")[0].GetProperty("content").GetRawText().ShouldBe(
        $$$"""[{"type":"image_url","image_url":{"url":"data:image/png;base64,{{{Base64}}}"}},{"type":"file","file":{"filename":"b \"2\".pdf","file_data":"data:application/pdf;base64,{{{Base64}}}"}},"""
        + """{"type":"text","text":"[Attachment c.txt of type text/plain cannot be read by this model.]"},{"type":"text","text":"Compare."}]""");

    [Fact]
    public async Task Messages_take_images_and_documents() => (await SendAsync(Protocol.Messages)).GetProperty("messages")[0].GetProperty("content").GetRawText().ShouldBe(
        $$$"""[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"{{{Base64}}}"}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"{{{Base64}}}"},"title":"b \"2\".pdf"},"""
        + """{"type":"document","source":{"type":"text","media_type":"text/plain","data":"größe"},"title":"c.txt"},{"type":"text","text":"Compare.","cache_control":{"type":"ephemeral"}}]""");

    [Theory]
    [InlineData(ProviderKinds.OpenAI, "application/pdf", true)]
    [InlineData(ProviderKinds.OpenAI, "text/html", true)]
    [InlineData(ProviderKinds.OpenAICompatible, "application/pdf", true)]
    [InlineData(ProviderKinds.OpenAICompatible, "text/plain", false)]
    [InlineData(ProviderKinds.AnthropicCompatible, "application/pdf", true)]
    [InlineData(ProviderKinds.Anthropic, "text/csv", true)]
    [InlineData(ProviderKinds.Anthropic, "text/html", false)]
    [InlineData(ProviderKinds.Flapjack, "text/plain", false)]
    public void What_each_protocol_takes_as_it_is(string kind, string mediaType, bool takes) => NativeFiles.Takes(kind, mediaType).ShouldBe(takes);

    [Fact]
    public async Task A_large_file_arrives_whole()
    {
        var large = new byte[5_000_001];
        new Random(1).NextBytes(large);
        await ReadAsync(Client(Protocol.Responses), [new(ChatRole.User, [new DataContent(large, "application/pdf")])]);
        var part = Upstream.LastRequest.Body.GetProperty("input")[0].GetProperty("content")[0];
        Convert.FromBase64String(part.GetProperty("file_data").GetString()!["data:application/pdf;base64,".Length..]).ShouldBe(large);
    }

    private async Task<JsonElement> SendAsync(Protocol protocol)
    {
        await ReadAsync(Client(protocol), Message);
        return Upstream.LastRequest.Body;
    }
}
