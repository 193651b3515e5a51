using System.Runtime.CompilerServices;
using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Mcp.Connections;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Mcp.Tools;

/// <summary>Gives turns the tools of their agent's servers. Servers that cannot be reached are left out, which the trace tells.</summary>
/// <remarks>Tools are asked for before there is a trace, so what was left out is kept beside the request until the prompt is assembled.</remarks>
internal sealed class McpToolSource(AgentEquipment equipment, ServerTools tools, ToolCalls calls, TimeProvider time) : IToolSource, IPromptSource
{
    private readonly ConditionalWeakTable<EquipmentRequest, List<TurnSpan>> _leftOut = [];

    public async ValueTask<IReadOnlyList<TurnTool>> ListAsync(EquipmentRequest request, CancellationToken cancellationToken)
    {
        if (request is not { AgentId: not null, Version: > 0 }) return [];
        var servers = (await equipment.OfAsync(request, AttachedServers.LoadAsync, cancellationToken)).All;
        if (servers.Count == 0) return [];
        var started = time.Now();
        var listings = await Task.WhenAll(servers.Select(server => tools.ForTurnAsync(server, cancellationToken).AsTask()));
        var offered = new List<TurnTool>();
        for (var i = 0; i < servers.Count; i++)
        {
            if (listings[i].Fault is { } fault) _leftOut.GetOrCreateValue(request).Add(Span(servers[i], fault, started));
            offered.AddRange(listings[i].Tools.Select(tool => Tool(servers[i], tool)));
        }
        return offered;
    }

    public ValueTask<PromptPart?> ReadAsync(PromptRequest request, CancellationToken cancellationToken)
    {
        if (!_leftOut.TryGetValue(request.For, out var spans)) return new((PromptPart?)null);
        _leftOut.Remove(request.For);
        foreach (var span in spans) request.Trace(span);
        return new((PromptPart?)null);
    }

    private TurnTool Tool(AttachedServer server, ListedTool tool) =>
        new(new McpTool(server, tool, calls), "mcp", Idempotent: tool.Idempotent, Planning: tool.ReadOnly, Withheld: !server.Allows(tool.Name));

    private TurnSpan Span(AttachedServer server, McpFault fault, DateTime started) => new()
    {
        Id = Ids.New(),
        Kind = "mcp",
        Name = $"{server.Slug}: list tools",
        StartedAt = started,
        EndedAt = time.Now(),
        Output = JsonSerializer.SerializeToElement(new { server = server.Access.Name, error = fault.Code, detail = fault.Detail }, WireJson.Responses),
        Error = fault.Code,
    };
}
