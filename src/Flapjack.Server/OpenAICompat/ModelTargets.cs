using Flapjack.Server.Agents;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.OpenAICompat;

/// <summary>What a client's <c>model</c> stands for.</summary>
/// <param name="AgentId">The agent that answers; null = a model itself.</param>
/// <param name="ModelId">That model; null = the agent's own.</param>
internal sealed record ModelTarget(Guid? AgentId, string? ModelId);

/// <summary>Finds agents, and where the operator allows it models, by the ids clients of OpenAI's API use.</summary>
internal sealed class ModelTargets(Databases databases, CallerContext access, ModelDirectory models, PlainAgents plain, ServerSettings settings)
{
    /// <summary>Code of the answer to an id that stands for nothing.</summary>
    public const string Unknown = "model_not_found";

    private const string AgentPrefix = "agent:";
    private const int MostAgents = 1_000;

    public static string IdOf(Guid agentId) => $"{AgentPrefix}{agentId}";

    public async Task<ModelTarget> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (id.StartsWith(AgentPrefix, StringComparison.Ordinal))
        {
            if (Guid.TryParseExact(id.AsSpan(AgentPrefix.Length), "D", out var agentId) && await ExistsAsync(agentId, cancellationToken)) return new(agentId, null);
        }
        else if (settings.AllowRawModels && await models.ResolveAsync(id, cancellationToken) is not null)
        {
            return new(null, id);
        }
        throw new ApiException(404, Unknown, $"model: '{id}' does not exist; GET /v1/models lists what there is");
    }

    /// <summary>The agent a new thread for the target belongs to.</summary>
    public async Task<Guid> AgentOfAsync(ModelTarget target, CancellationToken cancellationToken) => target.AgentId ?? await plain.IdAsync(cancellationToken);

    /// <summary>Agents, newest first, then models if they may be used.</summary>
    public async Task<List<ModelEntry>> ListAsync(CancellationToken cancellationToken)
    {
        await using var db = databases.Open(access);
        var owner = await db.Organisations.Where(o => o.Id == access.OrgId).Select(o => o.Slug).FirstAsync(cancellationToken);
        var agents = await db.Agents.AsNoTracking().Alive().OrderByDescending(a => a.CreatedAt).ThenByDescending(a => a.Id).Take(MostAgents)
            .Select(a => new { a.Id, a.Name, a.CreatedAt }).ToListAsync(cancellationToken);
        var list = agents.ConvertAll(a => new ModelEntry(IdOf(a.Id), UnixTime.Of(a.CreatedAt), owner, a.Name));
        if (settings.AllowRawModels) list.AddRange((await models.ListAsync(cancellationToken)).Select(m => new ModelEntry(m.Choice.Id, 0, m.Choice.Vendor, m.DisplayName)));
        return list;
    }

    private async Task<bool> ExistsAsync(Guid agentId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(access);
        return await db.Agents.Alive().AnyAsync(a => a.Id == agentId, cancellationToken);
    }
}

/// <summary>Times as OpenAI's API gives them: whole seconds since 1970.</summary>
internal static class UnixTime
{
    public static long Of(DateTime time) => new DateTimeOffset(time).ToUnixTimeSeconds();
}
