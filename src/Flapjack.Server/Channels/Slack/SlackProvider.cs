using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Channels.Outbound;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Channels.Slack;

/// <summary>Apps of Slack through the Events API: https://docs.slack.dev/apis/events-api.</summary>
internal sealed class SlackProvider(ProviderCalls calls, ServerSettings settings) : IChannelProvider
{
    public const string SignatureHeader = "X-Slack-Signature", TimestampHeader = "X-Slack-Request-Timestamp";
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);
    private readonly Uri _api = settings.Channels.SlackUrl;

    public string Kind => ChannelKinds.Slack;

    public MessageLength Length { get; } = new(40_000, 4_000);

    public IReadOnlyList<string> CredentialNames { get; } = ["botToken", "signingSecret"];

    public bool AwaitsHandshake => true;

    public bool IsGenuine(OpenedChannel channel, HookRequest request)
    {
        if (request.IsGet || request.Header(TimestampHeader) is not { } sent || !long.TryParse(sent, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return false;
        if (Math.Abs((decimal)request.Now.ToUnixTimeSeconds() - seconds) > (decimal)Tolerance.TotalSeconds) return false;
        return HookRequest.IsSame(request.Header(SignatureHeader), Sign(channel.Credentials.SigningSecret!, sent, request.Body.Span));
    }

    public HookAnswer? Handshake(OpenedChannel channel, HookRequest request) =>
        request.Json.Text("type") == "url_verification" && request.Json.Text("challenge") is { } challenge ? new(challenge, "text/plain; charset=utf-8") : null;

    public IReadOnlyList<InboundMessage> Read(OpenedChannel channel, HookRequest request)
    {
        if (request.Json.Text("type") != "event_callback" || request.Json.Object("event") is not { } happened) return [];
        return SlackMessage.Read(request.Json, happened, channel.Config) is { } read ? [read] : [];
    }

    public Task<ChannelConfig> RegisterAsync(OpenedChannel channel, string hook, CancellationToken cancellationToken) => Task.FromResult(channel.Config);

    public Task UnregisterAsync(OpenedChannel channel, CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<string> TestAsync(OpenedChannel channel, CancellationToken cancellationToken)
    {
        var me = await CallAsync(channel, "auth.test", new { }, cancellationToken);
        return $"{me.Text("user")} in {me.Text("team")}";
    }

    public string Convert(string markdown) => SlackMarkup.Instance.Convert(markdown);

    public Task SendAsync(OpenedChannel channel, OutboundMessage message, CancellationToken cancellationToken)
    {
        var body = new Dictionary<string, object?> { ["channel"] = message.To.Place, ["text"] = Convert(message.Part.Text), ["unfurl_links"] = false };
        if (message.To.InReplyTo is { } thread) body["thread_ts"] = thread;
        return CallAsync(channel, "chat.postMessage", body, cancellationToken);
    }

    public Task<byte[]> FetchAsync(OpenedChannel channel, InboundMedia media, CancellationToken cancellationToken) =>
        throw new ChannelException(ChannelException.Refused, "files of Slack are not read", false);

    public static string Sign(string secret, string timestamp, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        hmac.AppendData(Encoding.UTF8.GetBytes($"v0:{timestamp}:"));
        hmac.AppendData(body);
        return "v0=" + Convert(hmac.GetHashAndReset());

        static string Convert(byte[] hash) => System.Convert.ToHexStringLower(hash);
    }

    private async Task<JsonElement> CallAsync(OpenedChannel channel, string method, object body, CancellationToken cancellationToken)
    {
        var answer = await calls.SendAsync(ProviderCalls.Below(_api, method), channel.Credentials.BotToken, body, cancellationToken);
        var json = ProviderCalls.JsonOf(answer);
        if (answer.IsSuccess && json.IsTrue("ok")) return json;
        // Slack answers 200 to nearly everything and says the rest in words.
        throw answer.IsSuccess ? FaultOf(json.Text("error") ?? "no reason given") : ChannelException.Of(answer, json.Text("error"));
    }

    private static ChannelException FaultOf(string error) => error switch
    {
        "invalid_auth" or "not_authed" or "account_inactive" or "token_revoked" or "token_expired" or "missing_scope" or "no_permission" => new(ChannelException.AuthFailed, error, false),
        "channel_not_found" or "not_in_channel" or "is_archived" or "user_not_found" => new(ChannelException.ContactGone, error, false),
        "ratelimited" or "rate_limited" => new(ChannelException.RateLimited, error, true),
        "internal_error" or "fatal_error" or "service_unavailable" or "request_timeout" => new(ChannelException.Unreachable, error, true),
        _ => new(ChannelException.Refused, error, false),
    };
}
