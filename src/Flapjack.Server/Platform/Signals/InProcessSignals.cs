namespace Flapjack.Server.Platform.Signals;

/// <summary>Signals of a node that is alone on its database: there is nobody else to tell.</summary>
internal sealed class InProcessSignals(NodeName self, SignalHandlers handlers) : ISignals
{
    public ValueTask<bool> ReachesAsync(string node, CancellationToken cancellationToken) => new(node == self.Value);

    public void Send(string node, string topic, string body)
    {
        if (node == self.Value) handlers.Handle(new(topic, node, body));
    }

    public void Broadcast(string topic, string body) { }

    public void On(string topic, Action<Signal> handler) => handlers.On(topic, handler);

    public void OnMissed(Action handler) => handlers.OnMissed(handler);
}
