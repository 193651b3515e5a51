using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Integrations.Postgres;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Integrations.Tools;

/// <summary><c>query_{table}</c> or <c>count_{table}</c>. Lives as long as the agent's equipment stays the same, so it must not change.</summary>
internal sealed class TableTool(string name, bool counts, TableAccess access, TableQueries queries) : AIFunction
{
    public override string Name => name;

    public override string Description { get; } = TableSchemas.Describe(counts ? "Counts rows" : "Reads rows", access.Integration, access.Table);

    public override JsonElement JsonSchema { get; } = counts ? TableSchemas.Count(access.Table) : TableSchemas.Query(access.Table);

    /// <summary>As turns take it: a read, so it may be repeated after a crash and used while planning.</summary>
    public TurnTool ToTurnTool() => new(this, Idempotent: true, Planning: true);

    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        var read = new TableArguments(access.Table, arguments);
        if (counts)
        {
            var filters = read.ReadFilters();
            return await queries.CountAsync(access.IntegrationId, access.Open(), access.Table, filters, cancellationToken);
        }
        var request = read.ReadRows();
        return await queries.RowsAsync(access.IntegrationId, access.Open(), access.Table, request, cancellationToken);
    }
}

/// <summary>A table and the way to it. The connection string stays encrypted until a call needs it.</summary>
/// <param name="IntegrationId">Whose connections are used.</param>
/// <param name="Integration">Its name.</param>
/// <param name="Table">Of the cached schema.</param>
/// <param name="Open">Decrypts the address; a <see cref="ToolException"/> when that fails.</param>
internal sealed record TableAccess(Guid IntegrationId, string Integration, DatabaseTable Table, Func<DatabaseAddress> Open);
