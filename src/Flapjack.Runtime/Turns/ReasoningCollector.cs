using System.Text;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Turns;

/// <summary>Puts streamed reasoning together. A piece with a signature ends its block; a block that never gets one cannot be sent back and is dropped.</summary>
internal sealed class ReasoningCollector
{
    private readonly List<TextReasoningContent> _blocks = [];
    private readonly StringBuilder _open = new();

    public IReadOnlyList<TextReasoningContent> Blocks => _blocks;

    public void Add(TextReasoningContent piece)
    {
        _open.Append(piece.Text);
        if (string.IsNullOrEmpty(piece.ProtectedData)) return;
        _blocks.Add(new(_open.ToString()) { ProtectedData = piece.ProtectedData });
        _open.Clear();
    }
}
