using System.Security.Cryptography;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Tools;

namespace Flapjack.Server.Delegation;

/// <summary>Offers an agent the work it may hand on: to other agents, and to the application's endpoint.</summary>
internal sealed partial class DelegatedTools(AgentConfigs configs, AgentEquipment equipment, DelegatedTurns turns, WebhookCall call, SecretBox secrets, ILogger<DelegatedTools> logger) : IToolSource
{
    public async ValueTask<IReadOnlyList<TurnTool>> ListAsync(EquipmentRequest request, CancellationToken cancellationToken)
    {
        if (request is not { AgentId: not null, Version: > 0 }) return [];
        var config = await configs.ForTurnAsync<DelegatedConfig>(request, cancellationToken);
        if (!config.Enabled) return [];
        var known = await equipment.OfAsync(request, async (db, agent, stop) => new DelegatedKit(config, await SubAgents.KnownAsync(db, config, stop), turns, EndpointTools(config, request.OrgId, agent)), cancellationToken);
        return known.For(request);
    }

    private List<TurnTool> EndpointTools(DelegatedConfig config, Guid orgId, Guid agentId)
    {
        if (config.EndpointUrl is not { } address || config.Tools.Count == 0) return [];
        try
        {
            var target = new WebhookTarget(new Uri(address))
            {
                Secret = config.Secret is { } secret ? secrets.Open(secret, DelegatedConfig.PlaceOfSecret(orgId, agentId)) : null,
                Timeout = TimeSpan.FromMilliseconds(config.TimeoutMs),
            };
            return [.. config.Tools.Select(tool => new TurnTool(new WebhookFunction(tool.Name, tool.Description, tool.Parameters, target, call), SpanKind: "webhook"))];
        }
        catch (CryptographicException fault)
        {
            // Without its secret the endpoint would refuse every call.
            LogUnreadable(logger, fault, agentId);
            return [];
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The secret of the delegated tools of agent {AgentId} cannot be read; it is not offered them")]
    private static partial void LogUnreadable(ILogger logger, Exception exception, Guid agentId);
}
