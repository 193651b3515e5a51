using System.Security.Cryptography;
using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Tools;

/// <summary>Gives agents the webhook tools that are attached to them.</summary>
internal sealed partial class AttachedTools(AgentEquipment equipment, WebhookCall call, SecretBox secrets, ILogger<AttachedTools> logger) : IToolSource
{
    private static readonly IReadOnlyList<TurnTool> None = [];

    public async ValueTask<IReadOnlyList<TurnTool>> ListAsync(EquipmentRequest request, CancellationToken cancellationToken) =>
        request is { AgentId: not null, Version: > 0 } ? (await equipment.OfAsync(request, LoadAsync, cancellationToken)).Tools : None;

    private async Task<Attached> LoadAsync(FlapjackDb db, Guid agentId, CancellationToken cancellationToken)
    {
        var rows = from attached in db.AgentTools.AsNoTracking()
                   where attached.AgentId == agentId
                   join tool in db.Tools.AsNoTracking() on attached.ToolId equals tool.Id
                   where tool.Enabled
                   orderby attached.CreatedAt, attached.Id
                   select tool;
        return new([.. (await rows.ToListAsync(cancellationToken)).Select(Create).OfType<TurnTool>()]);
    }

    private TurnTool? Create(WebhookTool tool)
    {
        try
        {
            return new(new WebhookFunction(tool.Name, tool.Description, JsonElement.Parse(tool.Parameters), tool.TargetOf(secrets), call), "webhook", tool.Idempotent);
        }
        catch (CryptographicException fault)
        {
            // Without its secrets the endpoint would refuse every call.
            LogUnreadable(logger, fault, tool.Id);
            return null;
        }
    }

    private sealed record Attached(IReadOnlyList<TurnTool> Tools);

    [LoggerMessage(1, LogLevel.Error, "The secrets of tool {ToolId} cannot be read; agents are not offered it")]
    private static partial void LogUnreadable(ILogger logger, Exception exception, Guid toolId);
}
