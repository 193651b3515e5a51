using System.Text.Json;
using System.Text.Json.Serialization;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Channels;

/// <summary>How a channel behaves. Fields of other kinds are null.</summary>
internal sealed record ChannelConfig
{
    public const string Mention = "mention", Always = "always", Never = "never", Direct = "dm";

    /// <summary>Silence after which a contact gets a new thread; 0 = never.</summary>
    public double SessionHours { get; init; } = 24;

    /// <summary>External ids; empty = everybody.</summary>
    public IReadOnlyList<string> AllowedContacts { get; init; } = [];

    /// <summary>Sent to a contact before the first answer.</summary>
    public string? Greeting { get; init; }

    /// <summary>Null = the kind's own.</summary>
    public int? MaxMessageChars { get; init; }

    /// <summary>Telegram: which messages of groups are answered.</summary>
    public string? ReplyInGroups { get; init; }

    /// <summary>Slack: which messages are answered.</summary>
    public IReadOnlyList<string>? RespondTo { get; init; }

    /// <summary>Slack: whether answers in channels go into a thread.</summary>
    public bool? ThreadReplies { get; init; }

    public string? OutboundUrl { get; init; }
    public string? IdPath { get; init; }
    public string? TextPath { get; init; }
    public string? NamePath { get; init; }

    /// <summary>Telegram: the bot as it is mentioned, and its id. Learnt when the channel was registered.</summary>
    public string? BotName { get; init; }

    public string? BotId { get; init; }

    public string ToText() => JsonSerializer.Serialize(this, WireJson.Responses);

    public static ChannelConfig Parse(string text) => JsonSerializer.Deserialize<ChannelConfig>(text, WireJson.Responses)!;

    /// <summary>What a channel of this kind begins with.</summary>
    public static ChannelConfig DefaultOf(string kind) => kind switch
    {
        ChannelKinds.Telegram => new() { ReplyInGroups = Mention },
        ChannelKinds.Slack => new() { RespondTo = [Mention, Direct], ThreadReplies = true },
        ChannelKinds.Webhook => new() { IdPath = "$.from", TextPath = "$.text" },
        _ => new(),
    };

    /// <summary>True when the contact, or somebody in it, may talk to the agent.</summary>
    public bool Allows(params ReadOnlySpan<string> externalIds)
    {
        if (AllowedContacts.Count == 0) return true;
        foreach (var id in externalIds) if (AllowedContacts.Contains(id)) return true;
        return false;
    }
}

/// <summary>What a channel proves itself to its provider with, and the provider to it.</summary>
internal sealed record ChannelCredentials
{
    public string? BotToken { get; init; }
    public string? SigningSecret { get; init; }
    public string? AccessToken { get; init; }
    public string? PhoneNumberId { get; init; }
    public string? AppSecret { get; init; }
    public string? VerifyToken { get; init; }
    public string? Secret { get; init; }

    /// <summary>Made here for providers that send back a secret they were given.</summary>
    public string? HookSecret { get; init; }

    public string ToText() => JsonSerializer.Serialize(this, Stored);

    public static ChannelCredentials Parse(string text) => JsonSerializer.Deserialize<ChannelCredentials>(text, Stored)!;

    /// <summary>A record's own text would print the secrets.</summary>
    public override string ToString() => nameof(ChannelCredentials);

    private static readonly JsonSerializerOptions Stored = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
}

/// <summary>A channel with its secrets opened, for as long as it is worked with.</summary>
internal sealed record OpenedChannel(Channel Row, ChannelConfig Config, ChannelCredentials Credentials)
{
    /// <summary>A record's own text would print the secrets.</summary>
    public override string ToString() => Row.Id.ToString();
}
