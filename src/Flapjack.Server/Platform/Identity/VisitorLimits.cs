using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Platform.Identity;

/// <summary>Counts what people without a credential do in published chats: per address, and all of them together per chat. On this node.</summary>
internal sealed class VisitorLimits(ServerSettings settings, ClientAddress addresses, TimeProvider time)
{
    private readonly LimitWindows<string> _chats = new(TimeSpan.FromMinutes(1), "a minute from all visitors", time);
    private readonly LimitWindows<string> _messages = new(TimeSpan.FromMinutes(1), "a minute", time);
    private readonly LimitWindows<string> _threads = new(TimeSpan.FromHours(1), "an hour", time);

    /// <summary>A message to a chat. What one address may send is counted last, so that its headers are the ones the visitor sees.</summary>
    public void CountMessage(HttpContext context, string chat)
    {
        _chats.Count(context, chat, settings.Limits.PublicChatMessagesPerMinute);
        _messages.Count(context, AddressOf(context), settings.Limits.PublicMessagesPerMinute);
    }

    public void CountThread(HttpContext context) => _threads.Count(context, AddressOf(context), settings.Limits.PublicThreadsPerHour);

    public string AddressOf(HttpContext context) => ClientAddress.HouseholdOf(addresses.Of(context));

    /// <summary>Forgets windows that are over.</summary>
    public void Sweep()
    {
        _chats.Sweep();
        _messages.Sweep();
        _threads.Sweep();
    }
}
