using System.Globalization;
using Flapjack.Server.Platform.Egress;

namespace Flapjack.Server.Channels.Outbound;

/// <summary>A provider did not do what it was asked. Code and message are fit for people.</summary>
internal sealed class ChannelException(string code, string message, bool mayPass) : Exception(message)
{
    public const string AuthFailed = "AUTH_FAILED", RateLimited = "RATE_LIMITED", Unreachable = "UNREACHABLE", TimedOut = "TIMEOUT", Blocked = "BLOCKED_ADDRESS", Refused = "PROVIDER_REFUSED", ContactGone = "CONTACT_UNREACHABLE", Unreadable = "CREDENTIALS_UNREADABLE";

    /// <summary>What it is called, in channels and answers.</summary>
    public string Code { get; } = code;

    /// <summary>True when the same may succeed later.</summary>
    public bool MayPass { get; } = mayPass;

    /// <summary>True when it concerns one contact and not the channel.</summary>
    public bool IsOfContact => Code == ContactGone;

    /// <summary>How long the provider asks to wait.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public string ToText() => $"{Code}: {Message}";

    public static ChannelException Of(OutboundException fault) => fault.Fault switch
    {
        OutboundFault.Timeout => new(TimedOut, fault.Message, true),
        OutboundFault.Blocked => new(Blocked, fault.Message, false),
        OutboundFault.Unreachable => new(Unreachable, fault.Message, true),
        _ => new(Refused, fault.Message, false),
    };

    /// <summary>Of an answer that is no success.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="reason">What the provider says; null = nothing.</param>
    public static ChannelException Of(OutboundAnswer answer, string? reason)
    {
        var said = reason is { Length: > 300 } ? reason[..300] : reason;
        var message = said ?? string.Create(CultureInfo.InvariantCulture, $"the provider answered {answer.Status}");
        return answer.Status switch
        {
            401 or 403 => new(AuthFailed, message, false),
            429 => new(RateLimited, message, true) { RetryAfter = WaitOf(answer) },
            408 or >= 500 => new(Unreachable, message, true) { RetryAfter = WaitOf(answer) },
            _ => new(Refused, message, false),
        };
    }

    private static TimeSpan? WaitOf(OutboundAnswer answer) =>
        answer.Headers.TryGetValue("Retry-After", out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds) : null;
}
