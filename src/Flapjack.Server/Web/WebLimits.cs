namespace Flapjack.Server.Web;

/// <summary>What one tool call may take from the web.</summary>
internal sealed record WebLimits
{
    /// <summary>As robots.txt files and logs of servers know us.</summary>
    public const string Robot = "FlapjackBot";

    public const string UserAgent = Robot + "/1.0";

    /// <summary>Of an answer of a provider.</summary>
    public int ProviderBytes { get; init; } = 4 * 1024 * 1024;

    public TimeSpan ProviderTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Of one page, unpacked or not: packed answers are not asked for.</summary>
    public int PageBytes { get; init; } = 5 * 1024 * 1024;

    /// <summary>Of one page, redirects and what robots.txt files say on the way included.</summary>
    public TimeSpan PageTime { get; init; } = TimeSpan.FromSeconds(20);

    public int Redirects { get; init; } = 5;

    public TimeSpan CrawlTime { get; init; } = TimeSpan.FromSeconds(60);

    public long CrawlBytes { get; init; } = 20 * 1024 * 1024;

    /// <summary>Between two pages of a crawl. A site may ask for more, up to <see cref="LongestPause"/>.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(250);

    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>Characters of all pages of a crawl together; more would not reach the model.</summary>
    public int CrawlCharacters { get; init; } = 80_000;

    /// <summary>For the call of the agent's model that answers a question.</summary>
    public TimeSpan AnswerTime { get; init; } = TimeSpan.FromSeconds(120);
}
