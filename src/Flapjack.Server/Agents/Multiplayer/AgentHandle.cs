using System.Globalization;
using System.Text;

namespace Flapjack.Server.Agents.Multiplayer;

/// <summary>The name by which people call an agent in a conversation: <c>Support Agent</c> is <c>@support-agent</c>.</summary>
internal static class AgentHandle
{
    /// <summary>The agent's name in lower case, with runs of anything but letters, digits and <c>_</c> as one hyphen and none at the ends. Empty when the name has neither letters nor digits.</summary>
    public static string Of(string name)
    {
        var handle = new StringBuilder(name.Length);
        var gap = false;
        foreach (var rune in name.EnumerateRunes())
        {
            if (!IsWordPart(rune))
            {
                gap = handle.Length > 0;
                continue;
            }
            if (gap) handle.Append('-');
            gap = false;
            handle.Append(Rune.ToLowerInvariant(rune));
        }
        return handle.ToString();
    }

    /// <summary>True for what stands in a handle: letters and digits of any script with their marks, <c>_</c> and <c>-</c>.</summary>
    public static bool IsPart(Rune rune) => rune.Value == '-' || IsWordPart(rune);

    private static bool IsWordPart(Rune rune) =>
        rune.Value == '_' || Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
}
