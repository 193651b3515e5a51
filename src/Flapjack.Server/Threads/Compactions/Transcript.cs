using System.Text;
using Flapjack.Runtime.Models;
using Flapjack.Server.Threads.Multiplayer;
using Flapjack.Server.Threads.Turns;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Threads.Compactions;

/// <summary>Messages as a record for somebody who was not there. Lines that go on are indented, so that nothing in a message can pass for another speaker.</summary>
internal sealed class Transcript
{
    private const int LongestText = 20_000, LongestResult = 4_000, CharactersPerToken = 4;
    private readonly List<string> _entries = [];
    private long _length;

    private Transcript() { }

    /// <summary>How many messages it was made of.</summary>
    public int Rows { get; private init; }

    /// <summary>About how many tokens the messages have.</summary>
    public long Tokens => _length / CharactersPerToken;

    /// <summary>The messages as one agent reads them.</summary>
    public static Transcript Of(IReadOnlyList<Message> rows, HistoryView view)
    {
        var record = new Transcript { Rows = rows.Count };
        foreach (var row in rows) record.Add(row, view);
        return record;
    }

    /// <summary>The record. When it is too long its beginning is left out.</summary>
    /// <param name="earlier">Notes of what came before it.</param>
    /// <param name="maxLength">Most characters.</param>
    public string Text(string? earlier, int maxLength)
    {
        var (first, left) = (_entries.Count, maxLength - (earlier?.Length ?? 0));
        while (first > 0 && (left -= _entries[first - 1].Length + 1) >= 0) first--;
        var text = new StringBuilder();
        if (earlier is not null) text.Append("notes of the earlier part: ").Append(Indented(earlier)).Append('\n');
        if (first > 0) text.Append("(a part is left out)\n");
        return text.AppendJoin('\n', _entries.Skip(first)).ToString();
    }

    private void Add(Message row, HistoryView view)
    {
        switch (row.Role)
        {
            case MessageRoles.User:
                Add(row.SenderName is { Length: > 0 } name ? $"user {name}" : "user", row.Content, LongestText);
                break;
            case MessageRoles.Step or MessageRoles.Tool when view.IsOfAnother(row):
                break;
            case MessageRoles.Tool:
                Add($"result of {row.ToolName}", row.Content, LongestResult);
                break;
            case MessageRoles.Assistant when view.IsOfAnother(row):
                Add($"assistant {row.SenderName}", row.Content, LongestText);
                break;
            default:
                foreach (var summary in SignedReasoning.Parse(row.Reasoning).Where(CompactionContent.Is).OfType<TextContent>()) Add("notes of the earlier part", summary.Text, LongestText);
                Add("assistant", row.Content[Math.Min(row.TailStart, row.Content.Length)..], LongestText);
                foreach (var call in StepCalls.Parse(row.ToolCalls)) Add($"call of {call.Name}", call.Arguments, LongestResult);
                break;
        }
    }

    private void Add(string who, string text, int longest)
    {
        _length += text.Length;
        if (text.Length > 0) _entries.Add($"{who}: {Indented(Head(text, longest))}");
    }

    private static string Head(string text, int length) => text.Length <= length ? text : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)] + " (cut)";

    private static string Indented(string text) => text.ReplaceLineEndings("\n  ");
}
