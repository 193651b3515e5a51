using Flapjack.Server.Files;
using Flapjack.Server.Knowledge.Extraction;
using Flapjack.Server.Platform.Egress;

namespace Flapjack.Server.Knowledge.Intake;

/// <summary>Fetches documents from addresses that users gave, under the network rules.</summary>
internal sealed class PageFetch(OutboundHttp http)
{
    private static readonly OutboundLimits Limits = new(TimeSpan.FromSeconds(30), DocumentIntake.MaxBytes) { MaxRedirects = 5 };

    /// <summary>What the address answers. An <see cref="OutboundException"/> when it answers badly or not at all.</summary>
    public async Task<OutboundAnswer> FetchAsync(string address, CancellationToken cancellationToken)
    {
        var answer = await http.SendAsync(static to => new(HttpMethod.Get, to) { Headers = { { "Accept", "text/html, application/pdf, text/markdown, text/plain, */*;q=0.5" } } }, new Uri(address), Limits, cancellationToken);
        if (!answer.IsSuccess) throw new OutboundException(OutboundFault.Unreachable, $"the address answered with status {answer.Status}");
        return answer.Body.Length > 0 ? answer : throw new OutboundException(OutboundFault.Unreachable, "the address answered with nothing");
    }

    /// <summary>The name that tells among texts what an answer is.</summary>
    public static string NameOf(OutboundAnswer page) => DocumentTypes.NameOf(page.ContentType, page.Address.AbsolutePath);

    /// <summary>What an answer is; null when it is nothing that is known.</summary>
    public static string? TypeOf(OutboundAnswer page) => FileTypes.Detect(page.Body.AsSpan(0, Math.Min(page.Body.Length, FileTypes.HeadBytes)), NameOf(page), page.ContentType);

    /// <summary>When an address is to be fetched again.</summary>
    public static DateTime? DueAt(int? refreshHours, DateTime now) => refreshHours is { } hours ? now.AddHours(hours) : null;
}
