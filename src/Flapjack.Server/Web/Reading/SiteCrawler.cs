using System.IO.Enumeration;
using Flapjack.Runtime.Tools;

namespace Flapjack.Server.Web.Reading;

/// <summary>Reads the pages of one site, nearest first, one at a time and not in a hurry.</summary>
internal sealed class SiteCrawler(BuiltinReader reader, RobotsCache robots, WebLimits limits, TimeProvider time)
{
    private const int MaxKnown = 5_000, LongestAddress = 2_000;

    /// <summary>The pages. The first one has to work; what fails later is skipped.</summary>
    public async Task<CrawledSite> CrawlAsync(Uri start, CrawlPlan plan, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(limits.CrawlTime, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        var perPage = Math.Clamp(limits.CrawlCharacters / plan.MaxPages, 500, plan.MaxCharacters);
        var first = await FirstAsync(start, plan, perPage, ending.Token, cancellationToken);
        var known = new HashSet<string>(StringComparer.Ordinal) { start.AbsoluteUri, first.Address.AbsoluteUri };
        var (pages, waiting, skipped, bytes) = (new List<ReadPage> { first }, new Queue<Uri>(), 0, (long)first.Bytes);
        Add(first);
        try
        {
            while (waiting.Count > 0 && pages.Count < plan.MaxPages && bytes < limits.CrawlBytes)
            {
                var next = waiting.Dequeue();
                await PauseAsync(next, ending.Token);
                try
                {
                    var page = await reader.ReadAsync(next, plan.Rules, perPage, ending.Token);
                    bytes += page.Bytes;
                    if (!IsSameSite(first.Address, page.Address) || next.AbsoluteUri != page.Address.AbsoluteUri && !known.Add(page.Address.AbsoluteUri))
                    {
                        skipped++;
                        continue;
                    }
                    pages.Add(page);
                    Add(page);
                }
                catch (ToolException)
                {
                    skipped++;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Out of time: what was read counts.
            skipped++;
        }
        return new(pages, skipped + waiting.Count);

        void Add(ReadPage page)
        {
            foreach (var link in page.Links)
            {
                if (known.Count >= MaxKnown) return;
                if (link.AbsoluteUri.Length <= LongestAddress && IsSameSite(first.Address, link) && plan.Wants(link) && known.Add(link.AbsoluteUri)) waiting.Enqueue(link);
            }
        }
    }

    private async Task<ReadPage> FirstAsync(Uri start, CrawlPlan plan, int characters, CancellationToken ending, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadAsync(start, plan.Rules, characters, ending);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ToolException(ToolErrors.Timeout, $"{start.Host}: no page within {limits.CrawlTime.TotalSeconds:0.###} s");
        }
    }

    private async Task PauseAsync(Uri next, CancellationToken cancellationToken)
    {
        var wanted = TimeSpan.Zero;
        try
        {
            wanted = (await robots.OfAsync(next, cancellationToken)).Pause ?? TimeSpan.Zero;
        }
        catch (Platform.Egress.OutboundException)
        {
            // The reader is going to say so.
        }
        var pause = wanted > limits.Pause ? wanted > WebLimits.LongestPause ? WebLimits.LongestPause : wanted : limits.Pause;
        if (pause > TimeSpan.Zero) await Task.Delay(pause, time, cancellationToken);
    }

    // A site may answer under http and https.
    private static bool IsSameSite(Uri one, Uri other) =>
        string.Equals(one.IdnHost, other.IdnHost, StringComparison.OrdinalIgnoreCase) && (one.Port == other.Port || one.IsDefaultPort && other.IsDefaultPort);
}

/// <summary>What a crawl is after.</summary>
/// <param name="MaxPages">At most so many.</param>
/// <param name="MaxCharacters">Of each page.</param>
/// <param name="Include">Globs on paths; empty = every page.</param>
/// <param name="Exclude">Globs on paths; win.</param>
/// <param name="Rules">The agent's domains.</param>
internal sealed record CrawlPlan(int MaxPages, int MaxCharacters, IReadOnlyList<string> Include, IReadOnlyList<string> Exclude, DomainRules Rules)
{
    public bool Wants(Uri address) => !Fits(Exclude, address) && (Include.Count == 0 || Fits(Include, address));

    // The matcher treats a backslash specially, which no path holds unescaped.
    private static bool Fits(IReadOnlyList<string> globs, Uri address) => globs.Any(glob => FileSystemName.MatchesSimpleExpression(glob, address.AbsolutePath, ignoreCase: false));
}

/// <summary>What a crawl brought.</summary>
/// <param name="Pages">In the order they were read.</param>
/// <param name="Skipped">Addresses that were found and wanted but not read: forbidden, broken, or one too many.</param>
internal sealed record CrawledSite(IReadOnlyList<ReadPage> Pages, int Skipped);
