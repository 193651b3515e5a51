using System.Text.Json;
using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Channels.Slack;

/// <summary>Reads events of Slack.</summary>
internal static class SlackMessage
{
    /// <summary>The message; null when nobody is to answer it.</summary>
    public static InboundMessage? Read(JsonElement envelope, JsonElement happened, ChannelConfig config)
    {
        var type = happened.Text("type");
        // Edits, joins and what bots write, the agent itself among them.
        if (happened.Text("bot_id") is not null || happened.Text("subtype") is not (null or "file_share" or "thread_broadcast")) return null;
        if (happened.Text("user") is not { } user || happened.Text("channel") is not { } place || happened.Text("ts") is not { } ts) return null;
        var direct = type == "message" && happened.Text("channel_type") == "im";
        if (!direct && type != "app_mention" || !Wants(config, direct)) return null;
        var text = Readable(WithoutMention(happened.Text("text") ?? "", BotOf(envelope)));
        if (text.Length == 0) return null;
        var thread = happened.Text("thread_ts");
        // One message can come as several events, each with an id of its own.
        if (direct) return new($"{place}:{ts}", user, null, text, new(place, thread));
        return new($"{place}:{ts}", place, null, text, new(place, config.ThreadReplies == false ? thread : thread ?? ts)) { SenderId = user };
    }

    private static bool Wants(ChannelConfig config, bool direct) => config.RespondTo?.Contains(direct ? ChannelConfig.Direct : ChannelConfig.Mention) ?? true;

    private static string? BotOf(JsonElement envelope) => envelope.Objects("authorizations").Where(a => a.IsTrue("is_bot")).Select(a => a.Text("user_id")).FirstOrDefault();

    private static string WithoutMention(string text, string? bot) => (bot is null ? text : text.Replace($"<@{bot}>", "", StringComparison.Ordinal)).Trim();

    // Slack escapes these three and nothing else.
    private static string Readable(string text) => text.Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal);
}
