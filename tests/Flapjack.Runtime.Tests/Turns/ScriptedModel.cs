using System.Runtime.CompilerServices;
using Flapjack.Runtime.Models;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tests.Turns;

/// <summary>One answer of a scripted model.</summary>
internal sealed record Answer(params AIContent[] Contents)
{
    public ChatFinishReason? Finish { get; init; }
    public Exception? Failure { get; init; }
    /// <summary>Waited for after the contents, before the end.</summary>
    public Task? Hold { get; init; }

    public static Answer Says(params string[] deltas) => new([.. deltas.Select(delta => new TextContent(delta))]);

    public static Answer Calls(params (string Id, string Name, string Arguments)[] calls) =>
        new([.. calls.Select(call => ToolCallArguments.Create(call.Id, call.Name, call.Arguments))]);

    public Answer With(params AIContent[] more) => new([.. Contents, .. more]) { Finish = Finish, Failure = Failure, Hold = Hold };
}

/// <summary>Answers in order; past the end it says nothing. Keeps what it was asked.</summary>
internal sealed class ScriptedModel(params Answer[] answers) : IChatClient
{
    public List<(List<ChatMessage> Messages, ChatOptions Options)> Requests { get; } = [];

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Requests.Add(([.. messages], options!));
        var answer = Requests.Count <= answers.Length ? answers[Requests.Count - 1] : new();
        foreach (var content in answer.Contents) yield return new() { Role = ChatRole.Assistant, Contents = [content] };
        if (answer.Hold is not null) await answer.Hold.WaitAsync(cancellationToken);
        if (answer.Failure is not null) throw answer.Failure;
        yield return new() { FinishReason = answer.Finish ?? (answer.Contents.Any(content => content is FunctionCallContent) ? ChatFinishReason.ToolCalls : ChatFinishReason.Stop) };
    }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("The loop has one path, the streaming one.");

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
