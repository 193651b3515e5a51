namespace Flapjack.Server.Platform.Settings;

/// <summary>Channels: where the providers are, and how much is taken in and worked on.</summary>
/// <param name="TelegramUrl">The Bot API.</param>
/// <param name="SlackUrl">The Web API.</param>
/// <param name="WhatsAppUrl">The Graph API with its version.</param>
/// <param name="Parallel">Messages that are worked on at a time, on each node.</param>
/// <param name="MaxWaiting">Messages of one channel that wait at a time.</param>
internal sealed record ChannelSettings(Uri TelegramUrl, Uri SlackUrl, Uri WhatsAppUrl, int Parallel, int MaxWaiting)
{
    public static ChannelSettings Read(SettingsReader s) => new(
        s.Address("Channels:TelegramUrl") ?? new Uri("https://api.telegram.org"),
        s.Address("Channels:SlackUrl") ?? new Uri("https://slack.com/api"),
        s.Address("Channels:WhatsAppUrl") ?? new Uri("https://graph.facebook.com/v23.0"),
        s.Integer("Channels:Parallel", 32, 1, 1_000),
        s.Integer("Channels:MaxWaiting", 1_000, 1, 100_000));
}
