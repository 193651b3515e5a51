using Flapjack.Server.Files.Text;
using Flapjack.Server.Platform.Egress;
using Microsoft.Extensions.Caching.Memory;

namespace Flapjack.Server.Web.Reading;

/// <summary>The robots.txt of sites, remembered for an hour.</summary>
internal sealed class RobotsCache(OutboundHttp http, TimeProvider time) : IDisposable
{
    private const int MaxBytes = 1024 * 1024, MostHeld = 32 * 1024 * 1024, EntryBytes = 300;
    private static readonly TimeSpan Kept = TimeSpan.FromHours(1), KeptAfterFault = TimeSpan.FromMinutes(1);
    private static readonly OutboundLimits Limits = new(TimeSpan.FromSeconds(10), MaxBytes) { MaxRedirects = 5 };
    private readonly MemoryCache _known = new(new MemoryCacheOptions { SizeLimit = MostHeld });

    /// <summary>The rules of the site of an address. A site that cannot be reached is an <see cref="OutboundException"/>.</summary>
    public async ValueTask<RobotsRules> OfAsync(Uri address, CancellationToken cancellationToken)
    {
        var site = address.GetLeftPart(UriPartial.Authority);
        if (_known.Get(site) is Known known && known.Until > time.GetUtcNow()) return known.Rules;
        var (rules, kept) = await FetchAsync(new Uri(site + "/robots.txt"), cancellationToken);
        _known.Set(site, new Known(rules, time.GetUtcNow() + kept), new MemoryCacheEntryOptions { Size = EntryBytes + site.Length * sizeof(char) + rules.Bytes, SlidingExpiration = Kept });
        return rules;
    }

    public void Dispose() => _known.Dispose();

    private async Task<(RobotsRules Rules, TimeSpan Kept)> FetchAsync(Uri address, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await http.SendAsync(Request, address, Limits, cancellationToken);
            if (answer.IsSuccess) return (RobotsRules.Parse(PlainText.Decode(answer.Body), WebLimits.Robot), Kept);
            // No file, no rules. A server that fails may have some: RFC 9309 has us stay away meanwhile.
            return answer.Status is >= 400 and < 500 and not 429 ? (RobotsRules.Everything, Kept) : (RobotsRules.Nothing, KeptAfterFault);
        }
        catch (OutboundException fault) when (fault.Fault is OutboundFault.TooLarge or OutboundFault.RedirectRefused)
        {
            return (RobotsRules.Nothing, KeptAfterFault);
        }
    }

    private static HttpRequestMessage Request(Uri address)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.TryAddWithoutValidation("User-Agent", WebLimits.UserAgent);
        return request;
    }

    private sealed record Known(RobotsRules Rules, DateTimeOffset Until);
}
