using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tools;

/// <summary>What a tool returns that has images to show.</summary>
/// <param name="Value">As a tool without images would return it.</param>
/// <param name="Images">Shown to models with vision for the rest of the turn; they are not stored, so <paramref name="Value"/> must make sense without them.</param>
public sealed record ToolOutput(object? Value, IReadOnlyList<DataContent> Images);
