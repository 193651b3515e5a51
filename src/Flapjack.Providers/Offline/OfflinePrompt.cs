using Flapjack.Providers.Wire;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Prompts;
using Microsoft.Extensions.AI;

namespace Flapjack.Providers.Offline;

/// <summary>What the offline model reads of a prompt.</summary>
internal sealed class OfflinePrompt
{
    private readonly IReadOnlyList<ChatMessage> messages;
    private readonly Dictionary<string, string> names = new(StringComparer.Ordinal);

    public OfflinePrompt(IReadOnlyList<ChatMessage> messages)
    {
        this.messages = messages;
        var lastUser = -1;
        for (var i = 0; i < messages.Count; i++)
        {
            // Messages with an author are what other agents said.
            lastUser = messages[i] is { Role: var role, AuthorName: null } && role == ChatRole.User ? i : lastUser;
            foreach (var content in messages[i].Contents)
            {
                Words += content switch
                {
                    TextContent text => WordsIn(text.Text),
                    FunctionCallContent call => WordsIn(ToolCallArguments.TextOf(call)),
                    FunctionResultContent result => WordsIn(PromptParts.ResultText(result)),
                    _ => 0,
                };
                if (content is FunctionCallContent { CallId: var id, Name: var name })
                {
                    names[id] = name;
                    Calls++;
                }
            }
        }
        UserText = lastUser < 0 ? "" : WithoutCalls(WithoutSpeaker(string.Concat(messages[lastUser].Contents.OfType<TextContent>().Where(text => !IsAttachment(text)).Select(text => text.Text)).ReplaceLineEndings("\n")));
        Results = ResultsIn(messages.Skip(lastUser + 1));
        EarlierResults = ResultsIn(messages.Take(lastUser + 1));
    }

    /// <summary>Words of the whole prompt.</summary>
    public int Words { get; }
    /// <summary>Tool calls in the conversation so far.</summary>
    public int Calls { get; }
    /// <summary>The last user message, without the name of its sender.</summary>
    public string UserText { get; }
    /// <summary>Tool results after the last user message: tool and text.</summary>
    public IReadOnlyList<(string Tool, string Text)> Results { get; }
    /// <summary>Tool results of earlier turns.</summary>
    public IReadOnlyList<(string Tool, string Text)> EarlierResults { get; }
    /// <summary>Messages besides the system prompt.</summary>
    public int MessageCount => messages.Count(message => message.Role != ChatRole.System);
    /// <summary>Parts of the system prompt.</summary>
    public IEnumerable<TextContent> Sections => PromptParts.System(messages);
    /// <summary>Names of the system prompt's parts.</summary>
    public IEnumerable<string> SectionNames => Sections.Select(section => PromptSection.NameOf(section) ?? "system");

    /// <summary>Texts of attached files, which are read from but never obeyed.</summary>
    public IEnumerable<TextContent> Attachments => messages.SelectMany(message => message.Contents).OfType<TextContent>().Where(IsAttachment);

    public static int WordsIn(string text)
    {
        var count = 0;
        var inWord = false;
        foreach (var c in text)
        {
            var isWord = !char.IsWhiteSpace(c);
            count += isWord && !inWord ? 1 : 0;
            inWord = isWord;
        }
        return count;
    }

    private (string, string)[] ResultsIn(IEnumerable<ChatMessage> range) =>
        [.. range.SelectMany(message => message.Contents).OfType<FunctionResultContent>()
            .Select(result => (names.GetValueOrDefault(result.CallId, result.CallId), PromptParts.ResultText(result)))];

    private static bool IsAttachment(TextContent text) => PromptSection.NameOf(text) == PromptSection.Attachments;

    /// <summary>Multi-user threads put <c>Name: </c> before a message; a directive behind it still counts.</summary>
    private static string WithoutSpeaker(string text)
    {
        var lineEnd = text.IndexOf('\n', StringComparison.Ordinal);
        var colon = IndexOfSpeakersEnd(text);
        return text.StartsWith('/') || colon is < 1 or > 200 || (lineEnd >= 0 && colon > lineEnd) ? text : text[(colon + 2)..];
    }

    private static int IndexOfSpeakersEnd(string text)
    {
        var (directive, call) = (text.IndexOf(": /", StringComparison.Ordinal), text.IndexOf(": @", StringComparison.Ordinal));
        return directive < 0 || (call >= 0 && call < directive) ? call : directive;
    }

    /// <summary>There messages also call who shall answer; a directive behind <c>@handle</c>s still counts.</summary>
    private static string WithoutCalls(string text)
    {
        var rest = text.AsSpan();
        while (rest.StartsWith('@') && rest.IndexOfAny(" \n") is > 1 and var end) rest = rest[end..].TrimStart();
        return rest.StartsWith('/') ? rest.ToString() : text;
    }
}
