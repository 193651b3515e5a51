using Flapjack.Server.Agents.Multiplayer;
using Flapjack.Server.Threads.Multiplayer;
using FsCheck;
using FsCheck.Fluent;

namespace Flapjack.Server.Tests.Threads.Multiplayer;

/// <summary>How people call agents in a text.</summary>
public sealed class MentionTests
{
    // What stands between words: nothing of it may belong to a handle.
    private static readonly Gen<string> Gaps = Gen.Elements(" ", "\n", ", ", "! ", ") (", " \ud83d\ude00 ", " a@b.c ", " @ ", ": ");
    private static readonly Gen<string> Names = Gen.Elements("A", "b", "Z", "9", "\u00c9", "\u65e5", "\ud835\udc9c", "\u0928\u093f", "_", "-", " ", ".", "@", "\ud83d\ude00", "'").NonEmptyListOf().Select(string.Concat);
    private static readonly Gen<string> Handles = Names.Select(AgentHandle.Of).Where(handle => handle.Length > 0);
    private static readonly Gen<(string Gap, string Handle)[]> Texts = Gaps.Zip(Handles).ArrayOf();

    [Theory]
    [InlineData("Support Agent", "support-agent")]
    [InlineData("  Ada -- Lovelace!  ", "ada-lovelace")]
    [InlineData("R2_D2", "r2_d2")]
    [InlineData("Zoë's Bot", "zoë-s-bot")]
    [InlineData("日本 太郎", "日本-太郎")]
    [InlineData("!?", "")]
    public void A_name_makes_a_handle(string name, string handle) => AgentHandle.Of(name).ShouldBe(handle);

    [Theory]
    [InlineData("@Ada, please", "ada")]
    [InlineData("please (@ada)! And @bob: you too, @ada.", "ada bob")]
    [InlineData("mail ada@example.com or first.@x +@y _@z", "")]
    [InlineData("@ alone, and @@ada", "ada")]
    [InlineData("@ada's turn", "ada")]
    [InlineData("\n@ada\n", "ada")]
    [InlineData("", "")]
    public void Handles_are_found_in_texts(string text, string handles) => string.Join(' ', Mentions.In(text)).ShouldBe(handles);

    [Fact]
    public void A_handle_is_its_own_handle() => Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Handles.ToArbitrary(), handle => AgentHandle.Of(handle) == handle));

    [Fact]
    public void Whatever_stands_around_them_every_handle_is_found_once_in_order() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(Texts.ToArbitrary(), words =>
    {
        var text = string.Concat(words.Select(word => word.Gap + "@" + word.Handle)) + ".";
        Mentions.In(text).ShouldBe(words.Select(word => word.Handle).Distinct().Take(100));
        Mentions.In(text.ToUpperInvariant()).Count.ShouldBe(Mentions.In(text).Count);
    }));

    [Fact]
    public void A_text_of_nothing_but_mentions_ends() => Mentions.In(string.Concat(Enumerable.Range(0, 50_000).Select(i => $"@x{i} "))).Count.ShouldBe(100);
}
