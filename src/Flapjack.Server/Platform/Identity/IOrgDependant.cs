namespace Flapjack.Server.Platform.Identity;

/// <summary>Something outside the rows of an organisation that ends with it: running work, remembered credentials, files. Features register one each, as singletons.</summary>
/// <remarks>Rows need none: those of every <see cref="Storage.ITenantRow"/> are erased afterwards.</remarks>
internal interface IOrgDependant
{
    /// <summary>The organisation was deleted: nobody belongs to it any more, its rows still stand. Called again after a crash and once more minutes later, so it must not mind having been called.</summary>
    Task OnOrgDeletedAsync(Guid orgId, CancellationToken cancellationToken);
}
