using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Channels.Outbound;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Channels.WhatsApp;

/// <summary>Numbers of businesses through WhatsApp's Cloud API: https://developers.facebook.com/docs/whatsapp/cloud-api.</summary>
internal sealed class WhatsAppProvider(ProviderCalls calls, ServerSettings settings) : IChannelProvider
{
    public const string SignatureHeader = "X-Hub-Signature-256";
    private readonly Uri _api = settings.Channels.WhatsAppUrl;

    public string Kind => ChannelKinds.WhatsApp;

    public MessageLength Length { get; } = new(4_096, 4_096);

    public IReadOnlyList<string> CredentialNames { get; } = ["accessToken", "phoneNumberId", "appSecret", "verifyToken"];

    public bool AwaitsHandshake => true;

    public bool IsGenuine(OpenedChannel channel, HookRequest request) => request.IsGet
        ? request.Query("hub.mode") == "subscribe" && HookRequest.IsSame(request.Query("hub.verify_token"), channel.Credentials.VerifyToken!)
        : HookRequest.IsSame(request.Header(SignatureHeader), Sign(channel.Credentials.AppSecret!, request.Body.Span));

    public HookAnswer? Handshake(OpenedChannel channel, HookRequest request) =>
        request.IsGet ? new(request.Query("hub.challenge") ?? throw ApiException.Invalid("hub.challenge", "is required"), "text/plain; charset=utf-8") : null;

    public IReadOnlyList<InboundMessage> Read(OpenedChannel channel, HookRequest request) =>
        [.. request.Json.Objects("entry").SelectMany(entry => entry.Objects("changes")).Select(change => change.Object("value")).OfType<JsonElement>().SelectMany(value => ReadChange(value, channel.Credentials.PhoneNumberId!))];

    public Task<ChannelConfig> RegisterAsync(OpenedChannel channel, string hook, CancellationToken cancellationToken) => Task.FromResult(channel.Config);

    public Task UnregisterAsync(OpenedChannel channel, CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<string> TestAsync(OpenedChannel channel, CancellationToken cancellationToken)
    {
        var number = await CallAsync(channel, $"{channel.Credentials.PhoneNumberId}?fields=display_phone_number,verified_name", null, cancellationToken);
        return ProviderJson.Join(number.Text("verified_name"), number.Text("display_phone_number")) ?? channel.Credentials.PhoneNumberId!;
    }

    public string Convert(string markdown) => WhatsAppMarkup.Instance.Convert(markdown);

    public Task SendAsync(OpenedChannel channel, OutboundMessage message, CancellationToken cancellationToken) => CallAsync(channel, $"{channel.Credentials.PhoneNumberId}/messages", new
    {
        messaging_product = "whatsapp",
        recipient_type = "individual",
        to = message.To.Place,
        type = "text",
        text = new { preview_url = false, body = Convert(message.Part.Text) },
    }, cancellationToken);

    public async Task<byte[]> FetchAsync(OpenedChannel channel, InboundMedia media, CancellationToken cancellationToken)
    {
        var found = await CallAsync(channel, Uri.EscapeDataString(media.Id), null, cancellationToken);
        if (!Uri.TryCreate(found.Text("url"), UriKind.Absolute, out var address)) throw new ChannelException(ChannelException.Refused, "the file cannot be had", false);
        return await calls.ReadAsync(address, _api, channel.Credentials.AccessToken, cancellationToken);
    }

    public static string Sign(string secret, ReadOnlySpan<byte> body) => "sha256=" + System.Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body));

    // One app may have several numbers, each a channel of its own.
    private static IEnumerable<InboundMessage> ReadChange(JsonElement value, string number)
    {
        if (value.Object("metadata") is { } metadata && metadata.Text("phone_number_id") is { } other && other != number) return [];
        var names = value.Objects("contacts").Where(c => c.Text("wa_id") is not null).GroupBy(c => c.Text("wa_id")!).ToDictionary(g => g.Key, g => g.First().Object("profile").TextOf("name"));
        return value.Objects("messages").Select(message => ReadMessage(message, names)).OfType<InboundMessage>();
    }

    private static InboundMessage? ReadMessage(JsonElement message, Dictionary<string, string?> names)
    {
        if (message.Text("id") is not { } id || message.Text("from") is not { } from) return null;
        var type = message.Text("type");
        var media = type is "image" or "document" && message.Object(type) is { } file && file.Text("id") is { } fileId
            ? (InboundMedia[])[new(fileId, type == "image" || file.Text("mime_type")?.StartsWith("image/", StringComparison.Ordinal) == true, file.Text("filename"), file.Text("mime_type"))] : [];
        var text = type switch
        {
            "text" => message.Object("text").TextOf("body"),
            "button" => message.Object("button").TextOf("text"),
            "interactive" => message.Object("interactive") is { } chosen ? (chosen.Object("button_reply") ?? chosen.Object("list_reply")).TextOf("title") : null,
            "image" or "document" => message.Object(type).TextOf("caption"),
            _ => null,
        };
        return string.IsNullOrEmpty(text) && media.Length == 0 ? null : new(id, from, names.GetValueOrDefault(from), text ?? "", new(from)) { Media = media };
    }

    private async Task<JsonElement> CallAsync(OpenedChannel channel, string path, object? body, CancellationToken cancellationToken)
    {
        var answer = await calls.SendAsync(ProviderCalls.Below(_api, path), channel.Credentials.AccessToken, body, cancellationToken);
        var json = ProviderCalls.JsonOf(answer);
        return answer.IsSuccess ? json : throw FaultOf(answer, json.Object("error"));
    }

    private static ChannelException FaultOf(OutboundAnswer answer, JsonElement? error)
    {
        var reason = error.TextOf("message");
        var code = error is { } fault && fault.TryGetProperty("code", out var value) && value.TryGetInt32(out var number) ? number : 0;
        return code switch
        {
            // The token is wrong, expired or may too little.
            0 => ChannelException.Of(answer, reason),
            10 or 190 or (>= 200 and <= 299) => new(ChannelException.AuthFailed, reason ?? "the access token is refused", false),
            4 or 80007 or 130429 or 131048 or 131056 => new(ChannelException.RateLimited, reason ?? "too many messages", true),
            // No such number, or the 24 hours in which a business may answer are over.
            131026 or 131047 or 131030 => new(ChannelException.ContactGone, reason ?? "the contact cannot be written to", false),
            1 or 2 or 131000 or 131016 => new(ChannelException.Unreachable, reason ?? "the provider failed", true),
            _ => ChannelException.Of(answer, reason),
        };
    }
}
