using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Conversations;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Delegation;

/// <summary><c>delegate_to_…</c>: another agent does a task in a full turn of its own and answers with its text.</summary>
internal sealed class SubAgentTool(string name, KnownSubAgent agent, DelegationRule rule, bool shareContext, DelegatedTurns turns) : AIFunction
{
    private const int SharedMessages = 20;

    private static readonly JsonElement Schema = JsonElement.Parse("""
        {"type":"object","additionalProperties":false,"required":["task"],"properties":{
          "task":{"type":"string","minLength":1,"maxLength":20000,"description":"What the agent shall do, complete in itself."},
          "context":{"type":"string","maxLength":20000,"description":"What it has to know for that."}}}
        """);

    public override string Name => name;

    public override string Description { get; } = $"Hands a task to the agent {agent.Name} and returns its answer.{(agent.Description is { Length: > 0 } text ? $" {text}" : "")}";

    public override JsonElement JsonSchema => Schema;

    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        var context = ToolContext.Of(arguments);
        var chain = rule.Below(context.Caller.TurnId ?? Ids.New());
        if ((rule.RefusalOf(agent.Id) ?? turns.RefusalBelow(chain.Root)) is { } refusal) throw new ToolException(ToolErrors.DelegationLimit, refusal);
        Tell(context, "started");
        ChildAnswer answer;
        try
        {
            answer = await turns.RunAsync(new(agent.Id, MessageOf(arguments), context.Caller, chain, shareContext ? SharedMessages : 0), context.SpanId, cancellationToken);
        }
        catch (ApiException fault)
        {
            Tell(context, "failed");
            throw new ToolException(ToolErrors.Failed, $"The agent cannot begin: {fault.Detail}", fault);
        }
        // Before anything else: what the turn used has been used, however it ended.
        context.AddUsage(answer.Usage, answer.CostUsd);
        foreach (var span in answer.Spans) context.AddSpan(span);
        cancellationToken.ThrowIfCancellationRequested();
        Tell(context, answer.Error is null ? "finished" : "failed");
        if (answer.Error is not null) throw new ToolException(ToolErrors.Failed, $"The agent's turn ended with {answer.Error}.");
        if (answer.Challenge is { } challenge) context.Challenge(challenge);
        return JsonSerializer.SerializeToElement(new { answer.Content, AgentId = agent.Id }, WireJson.Responses);
    }

    private static string MessageOf(AIFunctionArguments arguments)
    {
        var task = Text(arguments, "task")!;
        return Text(arguments, "context") is { Length: > 0 } context ? $"{task}\n\nContext:\n{context}" : task;
    }

    private static string? Text(AIFunctionArguments arguments, string name) => arguments.TryGetValue(name, out var value) ? (value as JsonElement?)?.GetString() ?? value as string : null;

    private void Tell(ToolContext context, string status) =>
        context.EmitClientEvent("delegation", JsonSerializer.SerializeToElement(new { AgentId = agent.Id, Status = status }, WireJson.Responses));
}
