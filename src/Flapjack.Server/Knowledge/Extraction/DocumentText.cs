using System.Text;

namespace Flapjack.Server.Knowledge.Extraction;

/// <summary>A document as one text, in Markdown.</summary>
internal static class DocumentText
{
    /// <summary>At most so many characters, and whether there is more. Ends between characters, at a line where one is near.</summary>
    public static (string Text, bool IsTruncated) Of(IReadOnlyList<DocumentBlock> blocks, int characters)
    {
        var text = new StringBuilder();
        DocumentBlock? before = null;
        foreach (var block in blocks)
        {
            if (text.Length > characters) break;
            if (before is not null) text.Append(before.Kind == BlockKind.Row && block.Kind == BlockKind.Row ? "\n" : "\n\n");
            Append(text, block);
            before = block;
        }
        if (text.Length <= characters) return (text.ToString(), false);
        var end = characters;
        for (var i = end; i > end - Math.Min(200, end / 2); i--)
        {
            if (text[i] != '\n') continue;
            return (text.ToString(0, i).TrimEnd(), true);
        }
        if (end > 0 && char.IsHighSurrogate(text[end - 1])) end--;
        return (text.ToString(0, end), true);
    }

    private static void Append(StringBuilder text, DocumentBlock block)
    {
        switch (block.Kind)
        {
            case BlockKind.Heading:
                text.Append('#', Math.Clamp(block.Level, 1, 6)).Append(' ').Append(block.Text);
                break;
            case BlockKind.Code:
                text.Append("```\n").Append(block.Text).Append("\n```");
                break;
            default:
                text.Append(block.Text);
                break;
        }
    }
}
