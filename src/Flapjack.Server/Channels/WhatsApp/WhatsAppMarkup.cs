using Flapjack.Server.Channels.Outbound;

namespace Flapjack.Server.Channels.WhatsApp;

/// <summary>The signs WhatsApp reads. It has none that takes another's meaning away, and no links but bare addresses.</summary>
internal sealed class WhatsAppMarkup : Markup
{
    public static readonly WhatsAppMarkup Instance = new();

    protected override string Escape(string text) => text;

    protected override string Bold(string inner) => $"*{inner}*";

    protected override string Italic(string inner) => $"_{inner}_";

    protected override string Struck(string inner) => $"~{inner}~";

    protected override string Code(string raw) => $"`{raw}`";

    protected override string Block(string raw, string language) => $"```\n{raw}\n```";

    protected override string Link(string inner, string address) => inner == address ? address : $"{inner} ({address})";

    protected override string Quote(string inner) => $"> {inner}";
}
