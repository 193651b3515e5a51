using System.Security.Cryptography;
using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Integrations.Postgres;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Integrations.Tools;

/// <summary>Offers the tables of an agent's databases. The tools are made once a change of the agent's equipment.</summary>
internal sealed partial class DatabaseTools(AgentEquipment equipment, SecretBox secrets, TableQueries queries, ILogger<DatabaseTools> logger) : IToolSource
{
    /// <summary>Tables that are offered without being named by <c>allowedTables</c>, named ones counted in.</summary>
    private const int MaxTables = 60;

    // Each column's name stands in a schema three times, and schemas are part of every prompt.
    private const int MaxColumns = 200;

    public async ValueTask<IReadOnlyList<TurnTool>> ListAsync(EquipmentRequest request, CancellationToken cancellationToken) =>
        request is { AgentId: not null, Version: > 0 } ? (await equipment.OfAsync(request, LoadAsync, cancellationToken)).Tools : [];

    private async Task<AgentTables> LoadAsync(FlapjackDb db, Guid agentId, CancellationToken cancellationToken)
    {
        var rows = await (from attached in db.AgentIntegrations.AsNoTracking()
                          join integration in db.Integrations.AsNoTracking() on attached.IntegrationId equals integration.Id
                          where attached.AgentId == agentId
                          orderby attached.CreatedAt, attached.Id
                          select new { attached.AllowedTables, Integration = integration }).ToListAsync(cancellationToken);
        var offered = Offered([.. rows.Select(row => new Candidates(row.Integration, Names(row.AllowedTables)))]);
        var names = TableNames.Of([.. offered.Select(o => new NamedTable(o.Integration.Id, o.Integration.Name, o.Table.Schema, o.Table.Table, o.IsFirstSchema))]);
        var tools = new List<TurnTool>(offered.Count * 2);
        for (var i = 0; i < offered.Count; i++)
        {
            var integration = offered[i].Integration;
            var access = Access(integration.OrgId, integration.Id, integration.Name, integration.Connection, offered[i].Table);
            tools.Add(new TableTool(names[i].Query, counts: false, access, queries).ToTurnTool());
            tools.Add(new TableTool(names[i].Count, counts: true, access, queries).ToTurnTool());
        }
        return new(tools);
    }

    // Tables that somebody chose are all offered; of the others the first by name, as many as there is room for.
    private static List<OfferedTable> Offered(IReadOnlyList<Candidates> all)
    {
        var (chosen, others) = (new List<OfferedTable>(), new List<OfferedTable>());
        foreach (var (integration, allowed) in all)
        {
            var first = JsonSerializer.Deserialize<List<string>>(integration.Schemas)!.FirstOrDefault();
            foreach (var table in DatabaseTable.Read(integration.Tables))
            {
                var offered = new OfferedTable(integration, table.Columns.Count > MaxColumns ? table with { Columns = [.. table.Columns.Take(MaxColumns)] } : table, table.Schema == first);
                if (allowed is null) others.Add(offered);
                else if (allowed.Contains($"{table.Schema}.{table.Table}") || offered.IsFirstSchema && allowed.Contains(table.Table)) chosen.Add(offered);
            }
        }
        others.Sort((a, b) => string.CompareOrdinal(a.Table.Table, b.Table.Table) is not 0 and var byName ? byName : string.CompareOrdinal(a.Table.Schema, b.Table.Schema));
        return [.. chosen, .. others.Take(Math.Max(0, MaxTables - chosen.Count))];
    }

    private static HashSet<string>? Names(string? json) => json is null ? null : [.. JsonSerializer.Deserialize<List<string>>(json)!];

    // Tools outlive the row, whose schema is long: they hold what they need of it.
    private TableAccess Access(Guid orgId, Guid id, string name, string connection, DatabaseTable table) => new(id, name, table, () => Open(orgId, id, connection));

    private DatabaseAddress Open(Guid orgId, Guid id, string connection)
    {
        try
        {
            if (DatabaseAddress.Parse(secrets.Open(connection, Integration.Place(orgId, id))).Address is { } address) return address;
        }
        catch (CryptographicException exception)
        {
            LogUnreadable(logger, exception, id, orgId);
        }
        throw new ToolException(ToolErrors.QueryFailed, "the stored connection cannot be read; set it again");
    }

    private sealed record AgentTables(IReadOnlyList<TurnTool> Tools);

    private sealed record Candidates(Integration Integration, HashSet<string>? Allowed);

    private sealed record OfferedTable(Integration Integration, DatabaseTable Table, bool IsFirstSchema);

    [LoggerMessage(1, LogLevel.Error, "The connection of integration {IntegrationId} of organisation {OrgId} cannot be read")]
    private static partial void LogUnreadable(ILogger logger, Exception exception, Guid integrationId, Guid orgId);
}
