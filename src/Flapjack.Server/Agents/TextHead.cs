namespace Flapjack.Server.Agents;

internal static class TextHead
{
    /// <summary>The beginning of a text, at most so many characters, and none of them half.</summary>
    public static string Head(this string text, int length) => text.Length <= length ? text : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];
}
