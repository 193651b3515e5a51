using System.Collections.Concurrent;

namespace Flapjack.Server.Platform.Signals;

/// <summary>Who wants to hear what on this node.</summary>
internal sealed partial class SignalHandlers(ILogger<SignalHandlers> logger)
{
    private readonly ConcurrentDictionary<string, Action<Signal>> _handlers = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<Action> _missed = [];

    public void On(string topic, Action<Signal> handler)
    {
        if (!_handlers.TryAdd(topic, handler)) throw new InvalidOperationException($"The topic {topic} has a handler already.");
    }

    public void OnMissed(Action handler) => _missed.Add(handler);

    /// <summary>Hands a signal on. One without a handler comes from a newer version and means nothing here.</summary>
    public void Handle(Signal signal)
    {
        if (!_handlers.TryGetValue(signal.Topic, out var handler)) return;
        try
        {
            handler(signal);
        }
        catch (Exception exception)
        {
            LogFailed(logger, exception, signal.Topic);
        }
    }

    public void Missed()
    {
        foreach (var handler in _missed)
        {
            try
            {
                handler();
            }
            catch (Exception exception)
            {
                LogFailed(logger, exception, "missed signals");
            }
        }
    }

    [LoggerMessage(1, LogLevel.Error, "A signal about {Topic} could not be handled")]
    private static partial void LogFailed(ILogger logger, Exception exception, string topic);
}
