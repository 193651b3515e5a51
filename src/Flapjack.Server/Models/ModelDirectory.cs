using Flapjack.Providers;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Models;

/// <summary>Finds models for the organisation acted in.</summary>
internal sealed class ModelDirectory(CallerContext access, ProviderRoster roster, ServerSettings settings)
{
    /// <summary>The model of an id; null when the id does not resolve.</summary>
    public async ValueTask<ModelChoice?> ResolveAsync(string id, CancellationToken cancellationToken) => (await roster.OfAsync(access.OrgId, cancellationToken)).Resolve(id);

    /// <summary>The model of new agents.</summary>
    public async ValueTask<string> DefaultModelAsync(CancellationToken cancellationToken) =>
        settings.Models.Default ?? ((await roster.OfAsync(access.OrgId, cancellationToken)).HasModelCredential ? ModelCatalog.DefaultId : ModelCatalog.OfflineId);

    /// <summary>The catalog, then the configured models.</summary>
    public async ValueTask<IEnumerable<ListedModel>> ListAsync(CancellationToken cancellationToken) => (await roster.OfAsync(access.OrgId, cancellationToken)).List();

    /// <summary>A provider as the organisation reaches it; null when there is none of that name.</summary>
    public async ValueTask<ProviderAccess?> ProviderAsync(string name, CancellationToken cancellationToken) =>
        (await roster.OfAsync(access.OrgId, cancellationToken)).Providers.GetValueOrDefault(name);
}
