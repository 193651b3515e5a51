using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Mcp.Authorization;
using Flapjack.Server.Mcp.Connections;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Storage;
using Microsoft.Extensions.AI;
using ModelContextProtocol;

namespace Flapjack.Server.Mcp.Tools;

/// <summary>Calls tools of servers and turns what comes back, or what goes wrong, into what models and users can read.</summary>
internal sealed class ToolCalls(McpConnections connections, Reauthorisation reauthorisation, Databases databases)
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public async Task<object?> CallAsync(ServerAccess server, ListedTool tool, AIFunctionArguments arguments, ToolContext context, CancellationToken cancellationToken)
    {
        var values = arguments.ToDictionary(argument => argument.Key, argument => argument.Value);
        var progress = new ProgressEvents(context);
        try
        {
            var result = await connections.UseAsync(server, (connection, stop) => connection.CallAsync(tool, values, progress, stop), Limit, cancellationToken);
            return ToolContent.Of(result);
        }
        catch (McpServerException exception)
        {
            var fault = exception.Fault;
            if (!fault.IsAnswer) await StoreAsync(server, fault, cancellationToken);
            if (fault.Code == McpFault.Auth && await reauthorisation.AddressAsync(server, fault.MissingScope, context.Caller.UserId, cancellationToken) is { } address)
                context.Challenge(new(server.Name, address, fault.MissingScope is null ? $"{server.Name} asks for authorisation before its tools can be used." : $"{server.Name} asks for further rights before this tool can be used."));
            throw new ToolException(fault.ToolError, fault.Detail, exception);
        }
    }

    private async Task StoreAsync(ServerAccess server, McpFault fault, CancellationToken cancellationToken)
    {
        // One slow call says little about the server, and one that needs more rights nothing about the others.
        if (fault.Code == McpFault.Timeout || fault.TooLarge || fault.MissingScope is not null) return;
        await using var db = databases.Open(server.OrgId);
        await ServerTools.SetStatusAsync(db, server, fault);
    }

    /// <summary>Progress as the client of the turn sees it. A server that reports without end is heard for a while.</summary>
    private sealed class ProgressEvents(ToolContext context) : IProgress<ProgressNotificationValue>
    {
        private const int Most = 200, MaxMessage = 500;
        private int _count;

        public void Report(ProgressNotificationValue value)
        {
            if (!float.IsFinite(value.Progress) || value.Total is { } total && !float.IsFinite(total) || Interlocked.Increment(ref _count) > Most) return;
            var message = value.Message is { Length: > MaxMessage } text ? text[..MaxMessage] : value.Message;
            context.EmitClientEvent("tool_progress", JsonSerializer.SerializeToElement(new { tool_call_id = context.ToolCallId, progress = value.Progress, total = value.Total, message }, WireJson.Responses));
        }
    }
}
