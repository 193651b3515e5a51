using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Flapjack.Server.Channels.Outbound;
using Flapjack.Server.Channels.Slack;
using Flapjack.Server.Channels.Telegram;
using Flapjack.Server.Channels.WhatsApp;

namespace Flapjack.Server.Tests.Channels;

/// <summary>Answers in the signs of each provider, cut to its limits. Nothing may be lost, whatever the Markdown.</summary>
public sealed partial class MarkupTests
{
    private static readonly (string Name, Markup Markup)[] All = [("telegram", TelegramMarkup.Instance), ("slack", SlackMarkup.Instance), ("whatsapp", WhatsAppMarkup.Instance)];

    private static readonly string[] Words =
    [
        "alpha", "béta", "γάμμα", "😀", "snake_case_name", "2*3", "a<b", "R&D", "\"quoted\"", "**bold**", "*slanted*", "__strong__", "_soft_", "~~gone~~", "`code`", "``a`b``", "**half", "half*", "***both***", "\\*plain\\*", "**_nested_**", "*a **b** c*", "~", "[no link]", "<script>",
    ];

    [Theory]
    [InlineData("# Plan\nA **bold** _word_ and ~~none~~.", "<b>Plan</b>\nA <b>bold</b> <i>word</i> and <s>none</s>.", "*Plan*\nA *bold* _word_ and ~none~.", "*Plan*\nA *bold* _word_ and ~none~.")]
    [InlineData("- one\n  * two\n1. three", "• one\n  • two\n1. three", "• one\n  • two\n1. three", "• one\n  • two\n1. three")]
    [InlineData("a < b & c > d", "a &lt; b &amp; c &gt; d", "a &lt; b &amp; c &gt; d", "a < b & c > d")]
    [InlineData("See [the page](https://example.com/a?b=1&c=2).", "See <a href=\"https://example.com/a?b=1&amp;c=2\">the page</a>.", "See <https://example.com/a?b=1&amp;c=2|the page>.", "See the page (https://example.com/a?b=1&c=2).")]
    [InlineData("[bad](javascript:alert)", "[bad](javascript:alert)", "[bad](javascript:alert)", "[bad](javascript:alert)")]
    [InlineData("`a **b** <c>`", "<code>a **b** &lt;c&gt;</code>", "`a **b** &lt;c&gt;`", "`a **b** <c>`")]
    [InlineData("```sql\nSELECT *\nFROM a\n```\nend", "<pre><code class=\"language-sql\">SELECT *\nFROM a</code></pre>\nend", "```\nSELECT *\nFROM a\n```\nend", "```\nSELECT *\nFROM a\n```\nend")]
    [InlineData("> said\nsnake_case and 2 * 3 * 4", "<blockquote>said</blockquote>\nsnake_case and 2 * 3 * 4", "> said\nsnake_case and 2 * 3 * 4", "> said\nsnake_case and 2 * 3 * 4")]
    [InlineData("\\*plain\\* and **a *b* c**", "*plain* and <b>a <i>b</i> c</b>", "*plain* and *a _b_ c*", "*plain* and *a _b_ c*")]
    public void Markdown_becomes_what_the_provider_writes(string markdown, string telegram, string slack, string whatsapp) =>
        All.Select(one => one.Markup.Convert(markdown)).ShouldBe([telegram, slack, whatsapp]);

    [Fact]
    public void Nothing_is_lost_and_every_piece_keeps_the_limit()
    {
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            var markdown = Text(random);
            foreach (var (name, markup) in All)
            {
                var most = random.Next(MessageLengthLeast, 1_000);
                var pieces = MessageSplitter.Split(markdown, most, markup.Convert);
                var sent = pieces.Select(markup.Convert).ToList();
                sent.ShouldAllBe(piece => piece.Length > 0 && piece.Length <= most, $"{name} {seed}");
                Letters(string.Concat(sent.Select(piece => Seen(name, piece)))).ShouldBe(Letters(markdown), $"{name} {seed}:\n{markdown}");
                if (name == "telegram") sent.ShouldAllBe(piece => FakeProviders.IsWellFormed(piece), $"{seed}:\n{string.Join("\n=====\n", sent)}");
            }
        }
    }

    [Fact]
    public void Short_answers_stay_whole_and_long_ones_are_cut_where_it_hurts_least()
    {
        MessageSplitter.Split(" one\n\ntwo ", 200, Same).ShouldBe(["one\n\ntwo"]);
        MessageSplitter.Split("", 200, Same).ShouldBeEmpty();
        var (a, b, c) = (new string('a', 150), new string('b', 140), new string('c', 250));
        MessageSplitter.Split($"{a}\n\n{b}\n\nshort\n\n{c}", 200, Same).ShouldBe([a, $"{b}\n\nshort", c[..200], c[200..]]);
        var words = string.Join(' ', Enumerable.Repeat("word", 100));
        MessageSplitter.Split(words, 200, Same).ShouldAllBe(piece => piece.StartsWith("word", StringComparison.Ordinal) && piece.EndsWith("word", StringComparison.Ordinal));
        string.Concat(MessageSplitter.Split(string.Concat(Enumerable.Repeat("😀", 301)), 201, Same)).ShouldBe(string.Concat(Enumerable.Repeat("😀", 301)));
        MessageSplitter.Split(string.Concat(Enumerable.Repeat("😀", 301)), 201, Same).ShouldAllBe(piece => piece.Length % 2 == 0);
    }

    [Fact]
    public void A_block_of_code_that_is_cut_ends_and_begins_again()
    {
        var code = string.Join('\n', Enumerable.Range(0, 60).Select(i => $"line {i}"));
        var pieces = MessageSplitter.Split($"Look:\n\n```\n{code}\n```\n\nThat was it.", 200, Same);
        pieces.ShouldAllBe(piece => Regex.Count(piece, "^```", RegexOptions.Multiline) % 2 == 0);
        string.Join('\n', pieces.Select(piece => piece.Replace("```", "", StringComparison.Ordinal).Trim())).ShouldContain("line 58");
        pieces[^1].ShouldEndWith("That was it.");
    }

    [Fact]
    public void Marks_without_end_take_no_long()
    {
        var hostile = string.Concat(Enumerable.Repeat("**a _b ~~c [d](", 20_000));
        var pieces = MessageSplitter.Split(hostile, 4_096, TelegramMarkup.Instance.Convert);
        Letters(string.Concat(pieces)).Length.ShouldBe(80_000);
    }

    private const int MessageLengthLeast = 200;

    private static string Same(string text) => text;

    private static string Text(Random random)
    {
        var text = new StringBuilder();
        for (var block = random.Next(1, 12); block > 0; block--)
        {
            switch (random.Next(6))
            {
                case 0:
                    text.Append("```\n");
                    for (var line = random.Next(1, 30); line > 0; line--) text.Append(Sentence(random, 3).Replace("`", "", StringComparison.Ordinal)).Append('\n');
                    text.Append("```");
                    break;
                case 1:
                    text.Append(new string('#', random.Next(1, 4))).Append(' ').Append(Sentence(random, 4));
                    break;
                case 2:
                    for (var line = random.Next(1, 6); line > 0; line--) text.Append("- ").Append(Sentence(random, 6)).Append('\n');
                    break;
                case 3:
                    text.Append("> ").Append(Sentence(random, 6));
                    break;
                case 4:
                    text.Append(new string('x', random.Next(1, 700)));
                    break;
                default:
                    text.Append(Sentence(random, random.Next(1, 120)));
                    break;
            }
            text.Append(random.Next(2) == 0 ? "\n\n" : "\n");
        }
        return text.ToString();
    }

    private static string Sentence(Random random, int words) => string.Join(' ', Enumerable.Range(0, words).Select(_ => Words[random.Next(Words.Length)]));

    // What a person sees of a message.
    private static string Seen(string provider, string sent) => provider switch
    {
        "telegram" => WebUtility.HtmlDecode(Tag().Replace(sent, "")),
        "slack" => WebUtility.HtmlDecode(sent),
        _ => sent,
    };

    private static string Letters(string text) => string.Concat(text.EnumerateRunes().Where(rune => Rune.IsLetterOrDigit(rune) || rune.Value > 0xFFFF).Select(rune => rune.ToString()));

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();
}
