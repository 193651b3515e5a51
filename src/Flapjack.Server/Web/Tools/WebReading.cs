using Flapjack.Runtime.Tools;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Web.Providers;
using Flapjack.Server.Web.Reading;

namespace Flapjack.Server.Web.Tools;

/// <summary><c>web_read</c>: this server or Firecrawl, whichever the agent's config says.</summary>
internal sealed class WebReading(WebProviders providers, FirecrawlReader firecrawl, BuiltinReader builtin, EgressGuard guard)
{
    public async Task<ReadPage> ReadAsync(Guid orgId, WebConfig config, Uri address, int maxCharacters, CancellationToken cancellationToken)
    {
        var rules = DomainRules.Of(config);
        if (await providers.ReaderAsync(orgId, config.ReadProvider, cancellationToken) is not { } access) return await builtin.ReadAsync(address, rules, maxCharacters, cancellationToken);
        await CheckAsync(address, rules, cancellationToken);
        var page = await firecrawl.ReadAsync(access, address, maxCharacters, cancellationToken);
        // Where it ended; the hops between are Firecrawl's own.
        await CheckAsync(page.Address, rules, cancellationToken);
        return page;
    }

    // An instance inside the operator's network must not become the way into it.
    private async ValueTask CheckAsync(Uri address, DomainRules rules, CancellationToken cancellationToken)
    {
        BuiltinReader.Check(address, rules);
        if (await guard.RefusalAsync(address.AbsoluteUri, cancellationToken) is not null) throw new ToolException(ToolErrors.BlockedAddress, $"{address.Host}: the network rules of this server forbid the address");
    }
}
