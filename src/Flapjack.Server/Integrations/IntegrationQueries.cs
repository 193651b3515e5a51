using Flapjack.Server.Platform.Http;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Integrations;

internal static class IntegrationQueries
{
    public static async Task<Integration> FindIntegrationAsync(this IQueryable<Integration> integrations, Guid id, CancellationToken cancellationToken) =>
        await integrations.FirstOrDefaultAsync(i => i.Id == id, cancellationToken) ?? throw ApiException.NotFound("Integration");

    /// <summary>Rows without their secrets and cached schemas, which may have megabytes.</summary>
    public static IQueryable<Integration> InShort(this IQueryable<Integration> integrations) => integrations.AsNoTracking().Select(i => new Integration
    {
        Id = i.Id, OrgId = i.OrgId, Name = i.Name, Kind = i.Kind, Connection = "", Host = i.Host, Database = i.Database, Schemas = i.Schemas, Status = i.Status, LastError = i.LastError,
        Warnings = i.Warnings, TableCount = i.TableCount, IntrospectedAt = i.IntrospectedAt, CreatedAt = i.CreatedAt, UpdatedAt = i.UpdatedAt,
    });
}
