using System.Text.Json;
using System.Text.Json.Nodes;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Models;
using Flapjack.Server.Web.Reading;

namespace Flapjack.Server.Web.Providers;

/// <summary>Firecrawl's scrape endpoint, which runs a page's scripts: https://docs.firecrawl.dev/api-reference/endpoint/scrape.</summary>
internal sealed class FirecrawlReader(ProviderCalls calls, WebLimits limits)
{
    public const string Name = "firecrawl";

    /// <summary>An instance of one's own may need no key.</summary>
    public static bool IsReady(ProviderAccess access) => access.ApiKey is not null || access.BaseUrl is not null;

    public async Task<ReadPage> ReadAsync(ProviderAccess access, Uri address, int maxCharacters, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["url"] = address.AbsoluteUri, ["formats"] = new JsonArray("markdown"), ["onlyMainContent"] = true };
        var answer = await calls.PostAsync(new(access, "https://api.firecrawl.dev", "/v2/scrape", "Authorization") { Timeout = limits.ProviderTime * 2 }, body, cancellationToken);
        if (answer.ValueKind != JsonValueKind.Object || !answer.TryGetProperty("data", out var data) || WebResult.Text(data, "markdown") is not { } text) throw new ToolException(ToolErrors.Failed, "firecrawl could not read the page");
        var about = data.TryGetProperty("metadata", out var metadata) ? metadata : default;
        if (about.ValueKind == JsonValueKind.Object && about.TryGetProperty("statusCode", out var status) && status.ValueKind == JsonValueKind.Number && status.TryGetInt32(out var code) && code >= 400) throw new ToolException($"TOOL_HTTP_{code}", $"the page answered with status {code}");
        var final = Uri.TryCreate(WebResult.Text(about, "url") ?? WebResult.Text(about, "sourceURL"), UriKind.Absolute, out var reached) ? reached : address;
        return new(final, WebResult.Text(about, "title"), Head(text, maxCharacters), [], text.Length > maxCharacters);
    }

    private static string Head(string text, int length) => text.Length <= length ? text : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];
}
