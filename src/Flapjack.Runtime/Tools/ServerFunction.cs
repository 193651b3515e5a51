using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tools;

/// <summary>A tool that is part of the server: what the model is shown, and the code behind it.</summary>
/// <param name="name">As the model calls it.</param>
/// <param name="description">When to use it.</param>
/// <param name="schema">Of its arguments, which are valid when <paramref name="run"/> gets them.</param>
/// <param name="run">Does it. Fails with a <see cref="ToolException"/>.</param>
public sealed class ServerFunction(string name, string description, JsonElement schema, Func<ToolInput, CancellationToken, ValueTask<object?>> run) : AIFunction
{
    /// <inheritdoc/>
    public override string Name => name;

    /// <inheritdoc/>
    public override string Description => description;

    /// <inheritdoc/>
    public override JsonElement JsonSchema => schema;

    /// <inheritdoc/>
    protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) => run(new(arguments), cancellationToken);
}

/// <summary>One call as a <see cref="ServerFunction"/> reads it.</summary>
public readonly struct ToolInput(AIFunctionArguments arguments)
{
    /// <summary>What the tool may do besides returning a value.</summary>
    public ToolContext Context => ToolContext.Of(arguments);

    /// <summary>An argument; null when absent.</summary>
    public JsonElement? Json(string name) => arguments.TryGetValue(name, out var value) && value is JsonElement json ? json : null;

    /// <summary>A text; null when absent.</summary>
    public string? Text(string name) => Json(name)?.GetString();

    /// <summary>A whole number; null when absent.</summary>
    public int? Number(string name) => Json(name) is { } json ? (int)json.GetDouble() : null;

    /// <summary>An id; null when absent. Anything that is no id fails the call.</summary>
    public Guid? Id(string name) => Text(name) is not { } text ? null
        : Guid.TryParse(text, out var id) ? id : throw new ToolException(ToolErrors.InvalidArguments, $"{name}: is not an id");
}
