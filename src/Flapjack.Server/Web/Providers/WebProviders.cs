using Flapjack.Runtime.Tools;
using Flapjack.Server.Models;

namespace Flapjack.Server.Web.Providers;

/// <summary>Which of an organisation's web providers a tool uses.</summary>
internal sealed class WebProviders(ProviderRoster roster, IEnumerable<ISearchProvider> searches)
{
    private readonly ISearchProvider[] _searches = [.. searches];

    /// <summary>The provider for searches, and how it is reached; a <see cref="ToolException"/> when it is not set up.</summary>
    /// <param name="orgId">The organisation.</param>
    /// <param name="wanted">A name, or <c>auto</c> for the first that is set up.</param>
    /// <param name="cancellationToken">Ends the look-up.</param>
    public async ValueTask<(ISearchProvider Provider, ProviderAccess Access)> SearchAsync(Guid orgId, string wanted, CancellationToken cancellationToken)
    {
        var known = (await roster.OfAsync(orgId, cancellationToken)).Providers;
        foreach (var provider in _searches)
        {
            if (wanted != WebConfig.Auto && wanted != provider.Name) continue;
            if (known.TryGetValue(provider.Name, out var access) && access.Enabled && provider.IsReady(access)) return (provider, access);
        }
        throw new ToolException(ToolErrors.ProviderNotConfigured, wanted == WebConfig.Auto
            ? $"no search provider is set up; an administrator can set up one of {string.Join(", ", _searches.Select(p => p.Name))}"
            : $"the search provider {wanted} is not set up");
    }

    /// <summary>How Firecrawl is reached; null when this server reads pages itself.</summary>
    public async ValueTask<ProviderAccess?> ReaderAsync(Guid orgId, string wanted, CancellationToken cancellationToken)
    {
        if (wanted == WebConfig.Builtin) return null;
        var known = (await roster.OfAsync(orgId, cancellationToken)).Providers;
        if (known.TryGetValue(FirecrawlReader.Name, out var access) && access.Enabled && FirecrawlReader.IsReady(access)) return access;
        return wanted == WebConfig.Auto ? null : throw new ToolException(ToolErrors.ProviderNotConfigured, "the read provider firecrawl is not set up");
    }
}
