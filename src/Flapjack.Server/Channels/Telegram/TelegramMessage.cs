using System.Text.Json;
using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Channels.Telegram;

/// <summary>Reads messages of Telegram.</summary>
internal static class TelegramMessage
{
    /// <summary>The message; null when nobody is to answer it.</summary>
    public static InboundMessage? Read(string update, JsonElement message, ChannelConfig config)
    {
        if (message.Object("chat") is not { } chat || chat.IdOf("id") is not { } place || message.Object("from") is not { } from || from.IdOf("id") is not { } sender || from.IsTrue("is_bot")) return null;
        var text = message.Text("text") ?? message.Text("caption") ?? "";
        var media = MediaOf(message);
        if (text.Length == 0 && media.Count == 0) return null;
        var name = ProviderJson.Join(from.Text("first_name"), from.Text("last_name")) ?? from.Text("username");
        if (chat.Text("type") == "private") return new(update, sender, name, CommandOf(text, config), new(place)) { Media = media };
        if (!IsMeant(message, text, config)) return null;
        return new(update, place, chat.Text("title"), WithoutMention(CommandOf(text, config), config), new(place, message.IdOf("message_id"))) { SenderId = sender, SenderName = name, Media = media };
    }

    private static bool IsMeant(JsonElement message, string text, ChannelConfig config) => config.ReplyInGroups switch
    {
        ChannelConfig.Always => true,
        ChannelConfig.Never => false,
        _ => config.BotName is { } bot && IndexOfMention(text, bot) >= 0 || config.BotId is { } id && message.Object("reply_to_message")?.Object("from") is { } answered && answered.IdOf("id") == id,
    };

    // In groups commands carry the bot they are for.
    private static string CommandOf(string text, ChannelConfig config)
    {
        var at = config.BotName is { } bot ? text.IndexOf("@" + bot, StringComparison.OrdinalIgnoreCase) : -1;
        return at > 1 && text[0] == '/' && !text.AsSpan(0, at).Contains(' ') ? text.Remove(at, config.BotName!.Length + 1) : text;
    }

    private static string WithoutMention(string text, ChannelConfig config)
    {
        if (config.BotName is not { } bot || IndexOfMention(text, bot) is not (>= 0 and var at)) return text;
        return (text[..at].TrimEnd() + " " + text[(at + bot.Length + 1)..].TrimStart()).Trim();
    }

    // "@ada" is not in "@ada_lovelace_bot".
    private static int IndexOfMention(string text, string bot)
    {
        for (var at = 0; (at = text.IndexOf("@" + bot, at, StringComparison.OrdinalIgnoreCase)) >= 0; at++)
        {
            var end = at + bot.Length + 1;
            if (end == text.Length || !char.IsLetterOrDigit(text[end]) && text[end] != '_') return at;
        }
        return -1;
    }

    private static List<InboundMedia> MediaOf(JsonElement message)
    {
        var media = new List<InboundMedia>();
        // One picture in several sizes, the largest last.
        if (message.Objects("photo").LastOrDefault() is { ValueKind: JsonValueKind.Object } photo && photo.Text("file_id") is { } picture) media.Add(new(picture, true, "photo.jpg", null));
        if (message.Object("document") is { } document && document.Text("file_id") is { } file)
            media.Add(new(file, document.Text("mime_type")?.StartsWith("image/", StringComparison.Ordinal) == true, document.Text("file_name"), document.Text("mime_type")));
        return media;
    }
}
