using System.Text.RegularExpressions;
using Flapjack.Server.Channels.Telegram;
using Flapjack.Server.Channels.Webhooks;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Channels;

/// <summary>Checks what requests say about channels.</summary>
internal sealed partial class ChannelEditor(ChannelProviders providers, EgressGuard guard)
{
    private const int MaxContacts = 1_000, MaxGreeting = 2_000, MaxUrl = 2_000, MaxCredential = 1_000;

    /// <summary>The kind of a new channel; null when it is no such.</summary>
    public IChannelProvider? KindOf(string? kind, FieldErrors errors)
    {
        errors.Required("kind", kind, 20);
        errors.OneOf("kind", kind, [.. providers.Kinds]);
        return providers.Find(kind);
    }

    /// <summary>The config with what is sent; null in a field restores its default.</summary>
    public async Task<ChannelConfig> ConfigAsync(IChannelProvider provider, ChannelConfig current, ChannelConfigRequest? sent, FieldErrors errors, CancellationToken cancellationToken)
    {
        if (sent is not null) current = Common(provider, current, sent, errors);
        return provider.Kind switch
        {
            ChannelKinds.Telegram when sent is not null => Telegram(current, sent, errors),
            ChannelKinds.Slack when sent is not null => Slack(current, sent, errors),
            ChannelKinds.Webhook => await WebhookAsync(current, sent ?? new(), errors, cancellationToken),
            _ => current,
        };
    }

    /// <summary>The credentials of a request, all that the kind needs.</summary>
    public static ChannelCredentials Credentials(IChannelProvider provider, ChannelCredentialsRequest? sent, FieldErrors errors)
    {
        var request = sent ?? new();
        foreach (var name in provider.CredentialNames) Check(name, ValueOf(request, name), errors);
        return new()
        {
            BotToken = request.BotToken.Value,
            SigningSecret = request.SigningSecret.Value,
            AccessToken = request.AccessToken.Value,
            PhoneNumberId = request.PhoneNumberId.Value,
            AppSecret = request.AppSecret.Value,
            VerifyToken = request.VerifyToken.Value,
            Secret = request.Secret.Value,
            HookSecret = provider.Kind == ChannelKinds.Telegram ? TelegramProvider.NewSecret() : null,
        };
    }

    private static string? ValueOf(ChannelCredentialsRequest request, string name) => name switch
    {
        "botToken" => request.BotToken.Value,
        "signingSecret" => request.SigningSecret.Value,
        "accessToken" => request.AccessToken.Value,
        "phoneNumberId" => request.PhoneNumberId.Value,
        "appSecret" => request.AppSecret.Value,
        "verifyToken" => request.VerifyToken.Value,
        _ => request.Secret.Value,
    };

    // They become parts of addresses and headers.
    private static void Check(string name, string? value, FieldErrors errors)
    {
        var (field, before) = ($"credentials.{name}", errors.Count);
        errors.Required(field, value, MaxCredential);
        if (errors.Count > before) return;
        if (name == "phoneNumberId" && !Digits().IsMatch(value!)) errors.Add(field, "must be digits");
        else if (name is "botToken" or "accessToken" && !TokenForm().IsMatch(value!)) errors.Add(field, "is no token: letters, digits and :_.|=/+-");
        else if (name == "secret" && value!.Length is < 16 or > 200) errors.Add(field, "must have 16 to 200 characters");
        else if (name == "verifyToken" && value!.Length < 8) errors.Add(field, "must have at least 8 characters");
    }

    private static ChannelConfig Common(IChannelProvider provider, ChannelConfig config, ChannelConfigRequest sent, FieldErrors errors)
    {
        errors.Range("config.sessionHours", sent.SessionHours.Value, 0, 8_760);
        errors.Text("config.greeting", sent.Greeting.Value, MaxGreeting, min: 1);
        errors.Range("config.maxMessageChars", sent.MaxMessageChars.Value, MessageLength.Least, provider.Length.Most);
        var contacts = sent.AllowedContacts.Value ?? [];
        if (contacts.Count > MaxContacts) errors.Add("config.allowedContacts", $"has more than {MaxContacts} entries");
        for (var i = 0; i < Math.Min(contacts.Count, MaxContacts); i++) errors.Required($"config.allowedContacts[{i}]", contacts[i], ChannelContact.MaxExternalId);
        return config with
        {
            SessionHours = sent.SessionHours.IsSet ? sent.SessionHours.Value ?? 24 : config.SessionHours,
            AllowedContacts = sent.AllowedContacts.IsSet ? [.. contacts.OfType<string>().Distinct(StringComparer.Ordinal)] : config.AllowedContacts,
            Greeting = sent.Greeting.IsSet ? sent.Greeting.Value : config.Greeting,
            MaxMessageChars = sent.MaxMessageChars.IsSet ? sent.MaxMessageChars.Value : config.MaxMessageChars,
        };
    }

    private static ChannelConfig Telegram(ChannelConfig config, ChannelConfigRequest sent, FieldErrors errors)
    {
        errors.OneOf("config.replyInGroups", sent.ReplyInGroups.Value, ChannelConfig.Mention, ChannelConfig.Always, ChannelConfig.Never);
        return sent.ReplyInGroups.IsSet ? config with { ReplyInGroups = sent.ReplyInGroups.Value ?? ChannelConfig.Mention } : config;
    }

    private static ChannelConfig Slack(ChannelConfig config, ChannelConfigRequest sent, FieldErrors errors)
    {
        var wanted = sent.RespondTo.Value ?? [ChannelConfig.Mention, ChannelConfig.Direct];
        if (wanted.Count is 0 or > 2) errors.Add("config.respondTo", "must have 1 or 2 entries");
        for (var i = 0; i < Math.Min(wanted.Count, 2); i++)
        {
            errors.Required($"config.respondTo[{i}]", wanted[i], 20);
            errors.OneOf($"config.respondTo[{i}]", wanted[i], ChannelConfig.Mention, ChannelConfig.Direct);
        }
        return config with
        {
            RespondTo = sent.RespondTo.IsSet ? [.. wanted.OfType<string>().Distinct(StringComparer.Ordinal)] : config.RespondTo,
            ThreadReplies = sent.ThreadReplies.IsSet ? sent.ThreadReplies.Value ?? true : config.ThreadReplies,
        };
    }

    private async Task<ChannelConfig> WebhookAsync(ChannelConfig config, ChannelConfigRequest sent, FieldErrors errors, CancellationToken cancellationToken)
    {
        const string field = "config.outboundUrl";
        var url = sent.OutboundUrl.IsSet ? sent.OutboundUrl.Value?.Trim() : config.OutboundUrl;
        var before = errors.Count;
        errors.Required(field, url, MaxUrl);
        if (errors.Count == before && sent.OutboundUrl.IsSet && await guard.RefusalAsync(url!, cancellationToken) is { } refusal) errors.Add(field, refusal);
        foreach (var (name, path) in ((string, string?)[])[("idPath", sent.IdPath.Value), ("textPath", sent.TextPath.Value), ("namePath", sent.NamePath.Value)])
            if (path is not null && FieldPath.Parse(path) is null) errors.Add($"config.{name}", "is no path such as $.from or $.message.items[0].text, of at most 200 characters");
        return config with
        {
            OutboundUrl = url,
            IdPath = sent.IdPath.IsSet ? sent.IdPath.Value ?? "$.from" : config.IdPath,
            TextPath = sent.TextPath.IsSet ? sent.TextPath.Value ?? "$.text" : config.TextPath,
            NamePath = sent.NamePath.IsSet ? sent.NamePath.Value : config.NamePath,
        };
    }

    [GeneratedRegex(@"^[0-9]{1,32}\z")]
    private static partial Regex Digits();

    [GeneratedRegex(@"^[A-Za-z0-9:_.|=/+-]+\z")]
    private static partial Regex TokenForm();
}
