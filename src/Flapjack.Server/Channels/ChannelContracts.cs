using System.Text.Json.Serialization;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Channels;

/// <summary>A channel to create or the fields to change.</summary>
public sealed record ChannelRequest
{
    /// <summary><c>telegram</c>, <c>slack</c>, <c>whatsapp</c> or <c>webhook</c>. Required when it is created, ignored afterwards.</summary>
    public Optional<string> Kind { get; init; }
    /// <summary>1 to 200 characters; default the kind.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>How the channel behaves. Fields that are not sent stay as they are.</summary>
    public Optional<ChannelConfigRequest> Config { get; init; }
    /// <summary>What the kind needs; all of it, also when one value changes. Never returned.</summary>
    public Optional<ChannelCredentialsRequest> Credentials { get; init; }
    /// <summary>Default true. A disabled channel takes messages of its provider and forgets them.</summary>
    public Optional<bool?> Enabled { get; init; }
}

/// <summary>How a channel behaves. Fields of other kinds are ignored.</summary>
public sealed record ChannelConfigRequest
{
    /// <summary>Hours of silence after which a contact gets a new thread, 0 to 8,760; 0 = never. Default 24.</summary>
    public Optional<double?> SessionHours { get; init; }
    /// <summary>External ids that may talk to the agent, at most 1,000; empty = everybody.</summary>
    public Optional<List<string?>> AllowedContacts { get; init; }
    /// <summary>Sent to a contact before the first answer, at most 2,000 characters.</summary>
    public Optional<string> Greeting { get; init; }
    /// <summary>Longest message, 200 to the provider's limit, which is the default: 4,096 for <c>telegram</c> and <c>whatsapp</c>, 4,000 for <c>slack</c>, 400,000 for <c>webhook</c>.</summary>
    public Optional<int?> MaxMessageChars { get; init; }
    /// <summary>Of <c>telegram</c>: <c>mention</c> (default) answers messages of groups that name the bot or reply to it, <c>always</c> all it gets, <c>never</c> none.</summary>
    public Optional<string> ReplyInGroups { get; init; }
    /// <summary>Of <c>slack</c>: <c>mention</c> and <c>dm</c>; default both.</summary>
    public Optional<List<string?>> RespondTo { get; init; }
    /// <summary>Of <c>slack</c>: whether answers to mentions go into a thread. Default true.</summary>
    public Optional<bool?> ThreadReplies { get; init; }
    /// <summary>Of <c>webhook</c>: where answers are sent; required.</summary>
    public Optional<string> OutboundUrl { get; init; }
    /// <summary>Of <c>webhook</c>: where the sender's id stands in a message. Default <c>$.from</c>.</summary>
    public Optional<string> IdPath { get; init; }
    /// <summary>Of <c>webhook</c>: where the text stands. Default <c>$.text</c>.</summary>
    public Optional<string> TextPath { get; init; }
    /// <summary>Of <c>webhook</c>: where the sender's name stands; null = nowhere.</summary>
    public Optional<string> NamePath { get; init; }
}

/// <summary>Credentials of a channel. Each kind needs its own: <c>telegram</c> <c>botToken</c>; <c>slack</c> <c>botToken</c> and <c>signingSecret</c>; <c>whatsapp</c> <c>accessToken</c>, <c>phoneNumberId</c>, <c>appSecret</c> and <c>verifyToken</c>; <c>webhook</c> <c>secret</c>.</summary>
public sealed record ChannelCredentialsRequest
{
    /// <summary>Of the bot.</summary>
    public Optional<string> BotToken { get; init; }
    /// <summary>Of the Slack app.</summary>
    public Optional<string> SigningSecret { get; init; }
    /// <summary>Of the Graph API.</summary>
    public Optional<string> AccessToken { get; init; }
    /// <summary>Digits: the id of the business's number.</summary>
    public Optional<string> PhoneNumberId { get; init; }
    /// <summary>Of the Meta app; what it signs with.</summary>
    public Optional<string> AppSecret { get; init; }
    /// <summary>A word of your choice that you also give to Meta, at least 8 characters.</summary>
    public Optional<string> VerifyToken { get; init; }
    /// <summary>What both directions are signed with, 16 to 200 characters.</summary>
    public Optional<string> Secret { get; init; }
}

/// <summary>A way by which people outside talk to an agent.</summary>
public sealed record ChannelResponse
{
    /// <summary>Id.</summary>
    public required Guid Id { get; init; }
    /// <summary>The agent that answers.</summary>
    public required Guid AgentId { get; init; }
    /// <summary><c>telegram</c>, <c>slack</c>, <c>whatsapp</c> or <c>webhook</c>.</summary>
    public required string Kind { get; init; }
    /// <summary>Name for people.</summary>
    public required string Name { get; init; }
    /// <summary>False: messages are taken and forgotten.</summary>
    public required bool Enabled { get; init; }
    /// <summary><c>active</c>, <c>disabled</c>, <c>pending</c> (the provider has not called yet) or <c>error</c>.</summary>
    public required string Status { get; init; }
    /// <summary>Always true.</summary>
    public required bool HasCredentials { get; init; }
    /// <summary>How it behaves.</summary>
    public required ChannelConfigResponse Config { get; init; }
    /// <summary>Where the provider sends messages. Whoever knows it still needs the provider's signature.</summary>
    public required string WebhookUrl { get; init; }
    /// <summary>Code and reason of what last went wrong for good; null when nothing did since the last delivery.</summary>
    public required string? LastError { get; init; }
    /// <summary>When the last message came, UTC; null before the first.</summary>
    public required DateTime? LastInboundAt { get; init; }
    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }
    /// <summary>UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    internal static ChannelResponse From(Channel row, int maxChars, string webhookUrl) => new()
    {
        Id = row.Id,
        AgentId = row.AgentId,
        Kind = row.Kind,
        Name = row.Name,
        Enabled = row.Enabled,
        Status = row.Status,
        HasCredentials = row.Credentials.Length > 0,
        Config = ChannelConfigResponse.From(row.Kind, ChannelConfig.Parse(row.Config), maxChars),
        WebhookUrl = webhookUrl,
        LastError = row.LastError,
        LastInboundAt = row.LastInboundAt,
        CreatedAt = row.CreatedAt,
        UpdatedAt = row.UpdatedAt,
    };
}

/// <summary>How a channel behaves. Only fields of its kind are there.</summary>
public sealed record ChannelConfigResponse
{
    /// <summary>Hours of silence after which a contact gets a new thread; 0 = never.</summary>
    public required double SessionHours { get; init; }
    /// <summary>External ids that may talk to the agent; empty = everybody.</summary>
    public required IReadOnlyList<string> AllowedContacts { get; init; }
    /// <summary>Sent to a contact before the first answer.</summary>
    public required string? Greeting { get; init; }
    /// <summary>Longest message in characters.</summary>
    public required int MaxMessageChars { get; init; }
    /// <summary>Of <c>telegram</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ReplyInGroups { get; init; }
    /// <summary>Of <c>slack</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? RespondTo { get; init; }
    /// <summary>Of <c>slack</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? ThreadReplies { get; init; }
    /// <summary>Of <c>webhook</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? OutboundUrl { get; init; }
    /// <summary>Of <c>webhook</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? IdPath { get; init; }
    /// <summary>Of <c>webhook</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TextPath { get; init; }
    /// <summary>Of <c>webhook</c>; absent when there is none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? NamePath { get; init; }

    internal static ChannelConfigResponse From(string kind, ChannelConfig config, int maxChars) => new()
    {
        SessionHours = config.SessionHours,
        AllowedContacts = config.AllowedContacts,
        Greeting = config.Greeting,
        MaxMessageChars = maxChars,
        ReplyInGroups = kind == ChannelKinds.Telegram ? config.ReplyInGroups : null,
        RespondTo = config.RespondTo,
        ThreadReplies = config.ThreadReplies,
        OutboundUrl = config.OutboundUrl,
        IdPath = config.IdPath,
        TextPath = config.TextPath,
        NamePath = config.NamePath,
    };
}

/// <summary>How a test of credentials went.</summary>
public sealed record ChannelTestResponse
{
    /// <summary>Whether the provider took them.</summary>
    public required bool Ok { get; init; }
    /// <summary>Whom they belong to, as the provider says it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Detail { get; init; }
    /// <summary>A code such as <c>AUTH_FAILED</c>, <c>UNREACHABLE</c>, <c>TIMEOUT</c>, <c>BLOCKED_ADDRESS</c>, <c>RATE_LIMITED</c> or <c>PROVIDER_REFUSED</c>, and the reason.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }
}
