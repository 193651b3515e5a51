using System.Text;
using System.Text.Json;
using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Channels.Outbound;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Channels.Webhooks;

/// <summary>An application of the user's own, which sends and takes signed JSON.</summary>
internal sealed class WebhookProvider(OutboundHttp http, TimeProvider time) : IChannelProvider
{
    private static readonly OutboundLimits Limits = new(TimeSpan.FromSeconds(15), 64 * 1024) { SameOriginOnly = true };

    public string Kind => ChannelKinds.Webhook;

    public MessageLength Length { get; } = new(400_000, 400_000);

    public IReadOnlyList<string> CredentialNames { get; } = ["secret"];

    public bool AwaitsHandshake => false;

    public bool IsGenuine(OpenedChannel channel, HookRequest request) =>
        !request.IsGet && HookRequest.IsSame(request.Header(RequestSignature.Signature), RequestSignature.OfBody(channel.Credentials.Secret!, request.Body.Span));

    public HookAnswer? Handshake(OpenedChannel channel, HookRequest request) => null;

    public IReadOnlyList<InboundMessage> Read(OpenedChannel channel, HookRequest request)
    {
        var (json, config, errors) = (request.Json, channel.Config, new FieldErrors());
        var contact = FieldPath.Parse(config.IdPath!)?.Find(json)?.AsId();
        var text = FieldPath.Parse(config.TextPath!)?.Find(json) is { ValueKind: JsonValueKind.String } said ? said.GetString() : null;
        errors.Required(config.IdPath!, contact, ChannelContact.MaxExternalId);
        errors.Required(config.TextPath!, text, MessageDraft.ContentLimit);
        errors.ThrowIfAny();
        var name = config.NamePath is { } path ? FieldPath.Parse(path)?.Find(json)?.AsId() : null;
        // Without an id of its own every message is a new one: people may well say the same twice.
        var id = json.IdOf("id") ?? json.IdOf("messageId") ?? json.IdOf("message_id") ?? Ids.New().ToString();
        return [new(id, contact!, name, text!, new(contact!))];
    }

    public Task<ChannelConfig> RegisterAsync(OpenedChannel channel, string hook, CancellationToken cancellationToken) => Task.FromResult(channel.Config);

    public Task UnregisterAsync(OpenedChannel channel, CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<string> TestAsync(OpenedChannel channel, CancellationToken cancellationToken)
    {
        var answer = await PostAsync(channel, BodyOf("test", "This is a test.", null, null), isTest: true, cancellationToken);
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{channel.Config.OutboundUrl} answered {answer.Status}");
    }

    public string Convert(string markdown) => markdown;

    public Task SendAsync(OpenedChannel channel, OutboundMessage message, CancellationToken cancellationToken) =>
        PostAsync(channel, BodyOf(message.Contact, message.Part.Text, message.ThreadId, message.Part.MessageId), isTest: false, cancellationToken);

    public Task<byte[]> FetchAsync(OpenedChannel channel, InboundMedia media, CancellationToken cancellationToken) =>
        throw new ChannelException(ChannelException.Refused, "webhooks bring no files", false);

    private static byte[] BodyOf(string contact, string text, Guid? threadId, Guid? messageId) =>
        Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new Dictionary<string, object?> { ["contact"] = contact, ["text"] = text, ["threadId"] = threadId, ["messageId"] = messageId, ["attachments"] = Array.Empty<object>() }, WireJson.Responses));

    private async Task<OutboundAnswer> PostAsync(OpenedChannel channel, byte[] body, bool isTest, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await http.SendAsync(address => RequestOf(address, channel.Credentials.Secret!, body, isTest), new Uri(channel.Config.OutboundUrl!), Limits, cancellationToken);
            return answer.IsSuccess ? answer : throw ChannelException.Of(answer, null);
        }
        catch (OutboundException fault)
        {
            throw ChannelException.Of(fault);
        }
    }

    private HttpRequestMessage RequestOf(Uri address, string secret, byte[] body, bool isTest)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json") { CharSet = "utf-8" };
        if (isTest) request.Headers.Add("X-Flapjack-Test", "1");
        RequestSignature.AddTo(request, secret, body, time.GetUtcNow());
        return request;
    }
}
