using System.Globalization;
using System.Net;
using System.Text.Json;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Web.Providers;

/// <summary>What is searched for.</summary>
/// <param name="Text">The query.</param>
/// <param name="MaxResults">1 to 20.</param>
/// <param name="Recency"><c>day</c>, <c>week</c>, <c>month</c>, <c>year</c>; null = any time.</param>
/// <param name="Rules">Where. Providers are told as far as they understand it; results are held against it again.</param>
internal sealed record WebQuery(string Text, int MaxResults, string? Recency, DomainRules Rules);

/// <summary>Something that was found.</summary>
internal sealed record WebResult(string Title, string Url, string Snippet, string? PublishedAt)
{
    private const int LongestTitle = 300, LongestSnippet = 1_000;

    /// <summary>A result in our form; null when it leads nowhere.</summary>
    public static WebResult? Of(JsonElement item, string title, string snippet, params ReadOnlySpan<string> published)
    {
        if (Text(item, "url") is not { Length: <= 2_000 } url || !Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")) return null;
        string? time = null;
        foreach (var name in published) time ??= Time(Text(item, name));
        return new(Plain(Text(item, title), LongestTitle), url, Plain(Text(item, snippet), LongestSnippet), time);
    }

    /// <summary>The elements of an array at a path of names; none when there is no such array.</summary>
    public static IEnumerable<JsonElement> Items(JsonElement root, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(name, out root)) return [];
        }
        return root.ValueKind == JsonValueKind.Array ? root.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object) : [];
    }

    public static string? Text(JsonElement item, string name) => item.ValueKind == JsonValueKind.Object && item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Plain(string? text, int longest)
    {
        var plain = WebUtility.HtmlDecode(text ?? "").ReplaceLineEndings(" ").Trim();
        return plain.Length <= longest ? plain : plain[..(char.IsHighSurrogate(plain[longest - 1]) ? longest - 1 : longest)] + "…";
    }

    private static string? Time(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? WireTime.Format(Platform.Clock.Truncate(time.UtcDateTime)) : null;
}

/// <summary>A service that finds pages.</summary>
internal interface ISearchProvider
{
    /// <summary>As the organisation's list of providers calls it.</summary>
    string Name { get; }

    /// <summary>Whether what is set up suffices to call it.</summary>
    bool IsReady(ProviderAccess access);

    /// <summary>What it finds, best first, in its own number. Faults are a <see cref="Runtime.Tools.ToolException"/>.</summary>
    Task<IReadOnlyList<WebResult>> SearchAsync(ProviderAccess access, WebQuery query, CancellationToken cancellationToken);
}

/// <summary>A service that answers questions from the web by itself.</summary>
internal interface IAnswerProvider : ISearchProvider
{
    /// <summary>Whether it can be told all of the rules.</summary>
    bool CanKeepTo(DomainRules rules);

    Task<WebAnswer> AnswerAsync(ProviderAccess access, string question, string depth, DomainRules rules, CancellationToken cancellationToken);
}

/// <summary>An answer and where it comes from.</summary>
internal sealed record WebAnswer(string Text, IReadOnlyList<WebSource> Sources);

/// <summary>A page an answer rests on.</summary>
internal sealed record WebSource(string Title, string Url);
