using System.Text.Json;
using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Integrations;

internal static class AgentIntegrationEndpoints
{
    private const int MaxTables = 500, LongestName = 200, MaxAttempts = 3;

    public static void Map(IEndpointRouteBuilder app)
    {
        var attached = app.MapGroup("/api/agents/{agentId:guid}/integrations").WithTags("integrations");
        attached.MapGet("", List).WithName("listAgentIntegrations").From("chosen").Access(Scopes.AgentsRead).Demo(DemoWorld.AgentConfig(Array.Empty<AgentIntegrationResponse>()));
        attached.MapPost("", Attach).WithName("attachIntegration").From("doc").Access(Scopes.AgentsWrite, Role.Member);
        attached.MapDelete("", Detach).WithName("detachIntegration").From("chosen").Access(Scopes.AgentsWrite, Role.Member);
    }

    /// <summary>Lists the databases of an agent in the order they were given.</summary>
    private static async Task<Ok<List<AgentIntegrationResponse>>> List(Guid agentId, HttpContext http, FlapjackDb db, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var rows = await (from attached in db.AgentIntegrations.AsNoTracking()
                          join integration in db.Integrations.InShort() on attached.IntegrationId equals integration.Id
                          where attached.AgentId == agentId
                          orderby attached.CreatedAt, attached.Id
                          select new { attached, integration }).ToPageAsync(http, cancellationToken);
        return TypedResults.Ok(rows.ConvertAll(row => AgentIntegrationResponse.From(row.attached, row.integration)));
    }

    /// <summary>Gives a database to an agent, or changes which of its tables are offered.</summary>
    private static async Task<Results<Created<AgentIntegrationResponse>, Ok<AgentIntegrationResponse>>> Attach(Guid agentId, JsonBody<AgentIntegrationRequest> body, FlapjackDb db, TimeProvider time, CancellationToken cancellationToken)
    {
        var agent = await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var errors = new FieldErrors();
        var id = errors.Id("integrationId", body.Value.IntegrationId.Value, required: true);
        var tables = Tables(body.Value.AllowedTables.Value, errors);
        errors.ThrowIfAny();
        var integration = await db.Integrations.InShort().FindIntegrationAsync(id!.Value, cancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            var row = await db.AgentIntegrations.FirstOrDefaultAsync(a => a.AgentId == agentId && a.IntegrationId == id, cancellationToken);
            var isNew = row is null;
            if (row is null) db.AgentIntegrations.Add(row = new() { Id = Ids.New(), OrgId = agent.OrgId, AgentId = agentId, IntegrationId = integration.Id, CreatedAt = time.Now() });
            row.AllowedTables = tables;
            try
            {
                await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
                await db.SaveChangesAsync(cancellationToken);
                await AgentEquipment.ChangedAsync(db, agentId, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
            }
            catch (DbUpdateException fault) when (attempt < MaxAttempts && DatabaseFaults.IsConflict(fault))
            {
                // Somebody attached or detached it this very moment; looked at again, it is the other case.
                db.Entry(row).State = EntityState.Detached;
                continue;
            }
            var answer = AgentIntegrationResponse.From(row, integration);
            return isNew ? TypedResults.Created((string?)null, answer) : TypedResults.Ok(answer);
        }
    }

    /// <summary>Takes a database from an agent.</summary>
    private static async Task<Ok<Deleted>> Detach(Guid agentId, JsonBody<AgentIntegrationRemovalRequest> body, HttpRequest request, FlapjackDb db, CancellationToken cancellationToken)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var errors = new FieldErrors();
        var id = errors.Id("integrationId", body.Value.IntegrationId.Value ?? new Query(request).Text("integrationId", "integration_id"), required: true);
        errors.ThrowIfAny();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.AgentIntegrations.Where(a => a.AgentId == agentId && a.IntegrationId == id).ExecuteDeleteAsync(cancellationToken) == 0) throw ApiException.NotFound("Integration");
        await AgentEquipment.ChangedAsync(db, agentId, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    private static string? Tables(List<string?>? names, FieldErrors errors)
    {
        if (names is null) return null;
        if (names.Count > MaxTables) errors.Add("allowedTables", $"has more than {MaxTables} entries");
        for (var i = 0; i < Math.Min(names.Count, MaxTables); i++)
        {
            var name = names[i] ?? throw ApiException.BadRequest($"allowedTables[{i}]: must be a string");
            if (name.Length is 0 or > LongestName) errors.Add($"allowedTables[{i}]", $"must have 1 to {LongestName} characters");
        }
        return JsonSerializer.Serialize(names.OfType<string>().Distinct(StringComparer.Ordinal));
    }
}
