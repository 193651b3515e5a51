using System.Text.Json;
using Flapjack.Runtime.Tools;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tests.Turns;

/// <summary>A tool whose body is a delegate.</summary>
internal sealed class FakeTool(string name, Func<ToolContext, AIFunctionArguments, CancellationToken, ValueTask<object?>> body, string? schema = null) : AIFunction
{
    public override string Name => name;

    public override JsonElement JsonSchema { get; } = JsonDocument.Parse(schema ?? """{"type":"object"}""").RootElement;

    protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) =>
        body(ToolContext.Of(arguments), arguments, cancellationToken);

    public static TurnTool Returning(string name, object? value) => new(new FakeTool(name, (_, _, _) => new(value)));

    public static TurnTool Running(string name, Func<ToolContext, object?> body, string? schema = null) => new(new FakeTool(name, (context, _, _) => new(body(context)), schema));

    public static TurnTool Waiting(string name, Func<CancellationToken, Task<object?>> body) => new(new FakeTool(name, (_, _, stop) => new(body(stop))));
}
