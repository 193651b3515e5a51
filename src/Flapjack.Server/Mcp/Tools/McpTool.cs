using System.Text.Json;
using Flapjack.Runtime.Tools;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Mcp.Tools;

/// <summary>A tool of a server, under the name models know.</summary>
internal sealed class McpTool(AttachedServer server, ListedTool tool, ToolCalls calls) : AIFunction
{
    public override string Name { get; } = ToolNames.For(server.Slug, tool.Name);

    public override string Description => tool.Description ?? "";

    public override JsonElement JsonSchema => tool.InputSchema;

    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) =>
        await calls.CallAsync(server.Access, tool, arguments, ToolContext.Of(arguments), cancellationToken);
}
