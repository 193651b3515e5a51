using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Platform.Identity;

/// <summary>Counts what people without a credential do: per address their requests, messages and threads, and all their messages together per published chat; and requests to hooks. On this node.</summary>
internal sealed class VisitorLimits(ServerSettings settings, ClientAddress addresses, TimeProvider time)
{
    private readonly LimitWindows<string> _requests = new(TimeSpan.FromMinutes(1), "a minute from this address", time);
    private readonly LimitWindows<string> _chats = new(TimeSpan.FromMinutes(1), "a minute from all visitors", time);
    private readonly LimitWindows<string> _messages = new(TimeSpan.FromMinutes(1), "a minute", time);
    private readonly LimitWindows<Guid> _hooks = new(TimeSpan.FromMinutes(1), "a minute to this address", time);
    private readonly LimitWindows<string> _threads = new(TimeSpan.FromHours(1), "an hour", time);

    /// <summary>Any request to an endpoint that asks for no credential.</summary>
    public void CountRequest(HttpContext context)
    {
        if (settings.Limits.AnonymousRequestsPerMinute > 0) _requests.Count(context, AddressOf(context), settings.Limits.AnonymousRequestsPerMinute);
    }

    /// <summary>A message of an address, whatever becomes of it.</summary>
    public void CountMessage(HttpContext context) => _messages.Count(context, AddressOf(context), settings.Limits.PublicMessagesPerMinute);

    /// <summary>A message to a chat, of an address that may send one, to a thread that exists: what is refused to one visitor must not use up what is everybody's. The headers stay the address's.</summary>
    public void CountChatMessage(HttpContext context, string chat) => _chats.Count(context, chat, settings.Limits.PublicChatMessagesPerMinute, isTold: false);

    /// <summary>A request to an address below <c>/api/hooks</c>, by whatever its token names.</summary>
    public void CountHook(HttpContext context, Guid hook) => _hooks.Count(context, hook, settings.Limits.HooksPerMinute, isTold: false);

    public void CountThread(HttpContext context) => _threads.Count(context, AddressOf(context), settings.Limits.PublicThreadsPerHour);

    public string AddressOf(HttpContext context) => ClientAddress.HouseholdOf(addresses.Of(context));

    /// <summary>Forgets windows that are over.</summary>
    public void Sweep()
    {
        _requests.Sweep();
        _chats.Sweep();
        _messages.Sweep();
        _threads.Sweep();
        _hooks.Sweep();
    }
}
