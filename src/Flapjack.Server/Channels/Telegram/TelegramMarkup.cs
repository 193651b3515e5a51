using Flapjack.Server.Channels.Outbound;

namespace Flapjack.Server.Channels.Telegram;

/// <summary>The few tags Telegram knows. Everything else must not look like one.</summary>
internal sealed class TelegramMarkup : Markup
{
    public static readonly TelegramMarkup Instance = new();

    protected override string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);

    protected override string Bold(string inner) => $"<b>{inner}</b>";

    protected override string Italic(string inner) => $"<i>{inner}</i>";

    protected override string Struck(string inner) => $"<s>{inner}</s>";

    protected override string Code(string raw) => $"<code>{Escape(raw)}</code>";

    protected override string Block(string raw, string language) => language.Length == 0
        ? $"<pre>{Escape(raw)}</pre>"
        : $"<pre><code class=\"language-{Attribute(language)}\">{Escape(raw)}</code></pre>";

    protected override string Link(string inner, string address) => $"<a href=\"{Attribute(address)}\">{inner}</a>";

    protected override string Quote(string inner) => $"<blockquote>{inner}</blockquote>";

    private string Attribute(string text) => Escape(text).Replace("\"", "&quot;", StringComparison.Ordinal);
}
