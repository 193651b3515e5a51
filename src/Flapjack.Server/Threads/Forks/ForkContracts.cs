using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Threads.Forks;

/// <summary>Copies a thread up to a message.</summary>
public sealed record ForkRequest
{
    /// <summary>UUID of the last message to copy; without it, everything is copied.</summary>
    public Optional<string> MessageId { get; init; }
    /// <summary>Title of the new thread, at most 300 characters.</summary>
    public Optional<string> Title { get; init; }
}
