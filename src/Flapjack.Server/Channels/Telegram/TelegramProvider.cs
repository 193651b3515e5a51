using System.Security.Cryptography;
using System.Text.Json;
using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Channels.Outbound;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Channels.Telegram;

/// <summary>Bots of Telegram: https://core.telegram.org/bots/api.</summary>
internal sealed class TelegramProvider(ProviderCalls calls, ServerSettings settings) : IChannelProvider
{
    public const string SecretHeader = "X-Telegram-Bot-Api-Secret-Token";
    private static readonly string[] MessagesOnly = ["message"];
    private readonly Uri _api = settings.Channels.TelegramUrl;

    public string Kind => ChannelKinds.Telegram;

    public MessageLength Length { get; } = new(4_096, 4_096);

    public IReadOnlyList<string> CredentialNames { get; } = ["botToken"];

    public bool AwaitsHandshake => false;

    public bool IsGenuine(OpenedChannel channel, HookRequest request) =>
        !request.IsGet && channel.Credentials.HookSecret is { } secret && HookRequest.IsSame(request.Header(SecretHeader), secret);

    public HookAnswer? Handshake(OpenedChannel channel, HookRequest request) => null;

    public IReadOnlyList<InboundMessage> Read(OpenedChannel channel, HookRequest request)
    {
        if (request.Json.IdOf("update_id") is not { } update || request.Json.Object("message") is not { } message) return [];
        return TelegramMessage.Read(update, message, channel.Config) is { } read ? [read] : [];
    }

    public async Task<ChannelConfig> RegisterAsync(OpenedChannel channel, string hook, CancellationToken cancellationToken)
    {
        var me = await CallAsync(channel, "getMe", new { }, cancellationToken);
        await CallAsync(channel, "setWebhook", new { url = hook, secret_token = channel.Credentials.HookSecret, allowed_updates = MessagesOnly }, cancellationToken);
        return channel.Config with { BotName = me.Text("username"), BotId = me.IdOf("id") };
    }

    public Task UnregisterAsync(OpenedChannel channel, CancellationToken cancellationToken) => CallAsync(channel, "deleteWebhook", new { }, cancellationToken);

    public async Task<string> TestAsync(OpenedChannel channel, CancellationToken cancellationToken)
    {
        var me = await CallAsync(channel, "getMe", new { }, cancellationToken);
        return "@" + (me.Text("username") ?? me.IdOf("id"));
    }

    public string Convert(string markdown) => TelegramMarkup.Instance.Convert(markdown);

    public async Task SendAsync(OpenedChannel channel, OutboundMessage message, CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync(channel, "sendMessage", BodyOf(message, Convert(message.Part.Text), "HTML"), cancellationToken);
        }
        catch (ChannelException fault) when (fault.Message.Contains("can't parse entities", StringComparison.OrdinalIgnoreCase))
        {
            // Better plain than not at all.
            await CallAsync(channel, "sendMessage", BodyOf(message, message.Part.Text, null), cancellationToken);
        }
    }

    public async Task<byte[]> FetchAsync(OpenedChannel channel, InboundMedia media, CancellationToken cancellationToken)
    {
        var file = await CallAsync(channel, "getFile", new { file_id = media.Id }, cancellationToken);
        var path = file.Text("file_path") ?? throw new ChannelException(ChannelException.Refused, "the file cannot be had", false);
        return await calls.ReadAsync(ProviderCalls.Below(_api, $"file/bot{channel.Credentials.BotToken}/{Uri.EscapeDataString(path).Replace("%2F", "/", StringComparison.Ordinal)}"), _api, null, cancellationToken);
    }

    /// <summary>A secret as Telegram takes it: letters and digits.</summary>
    public static string NewSecret() => RandomNumberGenerator.GetHexString(64, lowercase: true);

    private static Dictionary<string, object?> BodyOf(OutboundMessage message, string text, string? mode)
    {
        var body = new Dictionary<string, object?> { ["chat_id"] = message.To.Place, ["text"] = text };
        if (mode is not null) body["parse_mode"] = mode;
        if (message.To.InReplyTo is { } id) body["reply_parameters"] = new { message_id = long.Parse(id, System.Globalization.CultureInfo.InvariantCulture), allow_sending_without_reply = true };
        return body;
    }

    private async Task<JsonElement> CallAsync(OpenedChannel channel, string method, object body, CancellationToken cancellationToken)
    {
        var answer = await calls.SendAsync(ProviderCalls.Below(_api, $"bot{channel.Credentials.BotToken}/{method}"), null, body, cancellationToken);
        var json = ProviderCalls.JsonOf(answer);
        if (answer.IsSuccess && json.IsTrue("ok")) return json.Object("result") ?? default;
        throw FaultOf(answer, json);
    }

    private static ChannelException FaultOf(OutboundAnswer answer, JsonElement json)
    {
        var reason = json.Text("description");
        // Blocked by the user, or thrown out of the group: the bot itself is well.
        if (answer.Status == 403) return new(ChannelException.ContactGone, reason ?? "the contact takes no messages of the bot", false);
        // What Telegram says of a token it does not know.
        if (answer.Status == 404) return new(ChannelException.AuthFailed, "the bot token is unknown", false);
        var wait = json.Object("parameters") is { } parameters && parameters.TryGetProperty("retry_after", out var seconds) && seconds.TryGetInt32(out var after) ? TimeSpan.FromSeconds(after) : (TimeSpan?)null;
        var fault = ChannelException.Of(answer, reason);
        return wait is null ? fault : new(fault.Code, fault.Message, fault.MayPass) { RetryAfter = wait };
    }
}
