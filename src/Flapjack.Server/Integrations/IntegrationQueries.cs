using Flapjack.Server.Platform.Http;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Integrations;

internal static class IntegrationQueries
{
    public static async Task<Integration> FindIntegrationAsync(this IQueryable<Integration> integrations, Guid id, CancellationToken cancellationToken) =>
        await integrations.FirstOrDefaultAsync(i => i.Id == id, cancellationToken) ?? throw ApiException.NotFound("Integration");
}
