using Flapjack.Runtime.Tools;
using Flapjack.Server.Knowledge.Extraction;
using Flapjack.Server.Platform.Egress;

namespace Flapjack.Server.Web.Reading;

/// <summary>Fetches and reads pages without anybody's help. Every hop is held against the agent's domains, the site's robots.txt and the network rules.</summary>
internal sealed class BuiltinReader(OutboundHttp http, RobotsCache robots, PageReader pages, WebLimits limits, TimeProvider time)
{
    /// <summary>The page. Faults are a <see cref="ToolException"/>.</summary>
    public async Task<ReadPage> ReadAsync(Uri address, DomainRules rules, int maxCharacters, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await FetchAsync(address, rules, cancellationToken);
            if (!answer.IsSuccess) throw new ToolException($"TOOL_HTTP_{answer.Status}", $"{answer.Address.Host} answered with status {answer.Status}");
            var page = await pages.ReadAsync(answer.Body, answer.ContentType, answer.Address, maxCharacters, cancellationToken);
            return new(answer.Address, page.Title, page.Text, page.Links, page.IsTruncated) { Bytes = answer.Body.Length };
        }
        catch (OutboundException fault)
        {
            throw OutboundFaults.ToToolException(fault, address.Host);
        }
        catch (ExtractionException fault)
        {
            throw new ToolException(ToolErrors.Failed, $"{address.Host}: what the address holds cannot be read as text ({fault.Code})");
        }
    }

    /// <summary>Throws when the agent may not see the host.</summary>
    public static void Check(Uri address, DomainRules rules)
    {
        if (!rules.Allows(address)) throw new ToolException(ToolErrors.BlockedAddress, $"this agent may not read pages of {address.Host}");
    }

    private async Task<OutboundAnswer> FetchAsync(Uri address, DomainRules rules, CancellationToken cancellationToken)
    {
        var allowed = new OutboundLimits(limits.PageTime, limits.PageBytes) { ReturnRedirects = true };
        using var timeout = new CancellationTokenSource(limits.PageTime, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            for (var hop = 0; hop <= limits.Redirects; hop++)
            {
                Check(address, rules);
                if (!(await robots.OfAsync(address, ending.Token)).Allows(address)) throw new ToolException(ToolErrors.BlockedAddress, $"the robots.txt of {address.Host} does not allow this page");
                var answer = await http.SendAsync(Request, address, allowed, ending.Token);
                if (Next(answer) is not { } next) return answer;
                address = next;
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new OutboundException(OutboundFault.Timeout, $"no answer within {limits.PageTime.TotalSeconds:0.###} s");
        }
        throw new ToolException(ToolErrors.RedirectRefused, $"{address.Host}: it redirects too often");
    }

    private static Uri? Next(OutboundAnswer answer)
    {
        if (answer.Status is not (301 or 302 or 303 or 307 or 308) || !answer.Headers.TryGetValue("Location", out var location)) return null;
        if (!Uri.TryCreate(answer.Address, location.ToString(), out var next) || next.Scheme is not ("http" or "https") || next.UserInfo.Length > 0) throw new ToolException(ToolErrors.RedirectRefused, $"{answer.Address.Host}: it redirects to something that is no web address");
        return next;
    }

    private static HttpRequestMessage Request(Uri address)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.TryAddWithoutValidation("User-Agent", WebLimits.UserAgent);
        request.Headers.TryAddWithoutValidation("Accept", "text/html,application/xhtml+xml,text/markdown,text/plain,application/json;q=0.9,*/*;q=0.5");
        return request;
    }
}
