using Flapjack.Server.Channels.Outbound;

namespace Flapjack.Server.Channels.Slack;

/// <summary>Slack's mrkdwn.</summary>
internal sealed class SlackMarkup : Markup
{
    public static readonly SlackMarkup Instance = new();

    protected override string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);

    protected override string Bold(string inner) => $"*{inner}*";

    protected override string Italic(string inner) => $"_{inner}_";

    protected override string Struck(string inner) => $"~{inner}~";

    protected override string Code(string raw) => $"`{Escape(raw)}`";

    // Slack would show a language as the first line of the code.
    protected override string Block(string raw, string language) => $"```\n{Escape(raw)}\n```";

    protected override string Link(string inner, string address) => $"<{Escape(address)}|{inner}>";

    protected override string Quote(string inner) => $"> {inner}";
}
