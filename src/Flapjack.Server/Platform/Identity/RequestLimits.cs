using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Platform.Identity;

/// <summary>Counts requests per caller and messages per organisation in windows of one minute, on this node.</summary>
internal sealed class RequestLimits(ServerSettings settings, TimeProvider time)
{
    private readonly LimitWindows<Guid> _requests = new(TimeSpan.FromMinutes(1), "a minute", time);
    private readonly LimitWindows<Guid> _messages = new(TimeSpan.FromMinutes(1), "a minute", time);

    public void CountRequest(HttpContext context, Caller caller) => _requests.Count(context, caller.Identity, settings.Limits.RequestsPerMinute);

    public void CountMessage(HttpContext context, Guid orgId) => _messages.Count(context, orgId, settings.Limits.MessagesPerMinute);

    /// <summary>Forgets windows nobody used for a minute.</summary>
    public void Sweep()
    {
        _requests.Sweep();
        _messages.Sweep();
    }
}
