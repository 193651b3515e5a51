using System.Text;
using Flapjack.Server.Agents.Multiplayer;

namespace Flapjack.Server.Threads.Multiplayer;

/// <summary>Finds who a text calls: every <c>@handle</c> in it.</summary>
internal static class Mentions
{
    /// <summary>The handles in the order in which they first stand in the text, in lower case, without the <c>@</c>.</summary>
    /// <remarks>An <c>@</c> right after a letter, a digit or one of <c>._+-</c> belongs to an address, such as that of an e-mail.</remarks>
    public static IReadOnlyList<string> In(string text)
    {
        List<string>? handles = null;
        for (var at = text.IndexOf('@', StringComparison.Ordinal); at >= 0; at = text.IndexOf('@', at + 1))
        {
            if (IsInsideWord(text, at)) continue;
            var handle = HandleAt(text.AsSpan(at + 1));
            if (handle.Length > 0 && handles?.Contains(handle) != true) (handles ??= []).Add(handle);
            // Nobody calls that many; what comes later could only make this slow.
            if (handles?.Count == MaxHandles) break;
        }
        return handles ?? [];
    }

    private const int MaxHandles = 100;

    private static bool IsInsideWord(string text, int at)
    {
        if (at == 0) return false;
        if (text[at - 1] is '.' or '+') return true;
        return Rune.DecodeLastFromUtf16(text.AsSpan(0, at), out var before, out _) == System.Buffers.OperationStatus.Done && AgentHandle.IsPart(before);
    }

    private static string HandleAt(ReadOnlySpan<char> text)
    {
        var length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (!AgentHandle.IsPart(rune)) break;
            length += rune.Utf16SequenceLength;
        }
        return text[..length].ToString().ToLowerInvariant();
    }
}
