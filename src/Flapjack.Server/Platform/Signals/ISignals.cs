namespace Flapjack.Server.Platform.Signals;

/// <summary>Short messages between the nodes on one database, about what happens while it happens. They are fast, in order from each node, and may be lost.</summary>
/// <remarks>What must not be lost stands in the database. Whoever subscribes looks there when told that signals may have been missed, and now and then anyway.</remarks>
internal interface ISignals
{
    /// <summary>The most bytes of UTF-8 a body may have. It is text without control characters other than line ends.</summary>
    const int MaxBody = 7_000;

    /// <summary>True when the node listens at this moment, as far as can be known.</summary>
    ValueTask<bool> ReachesAsync(string node, CancellationToken cancellationToken);

    /// <summary>Tells one node. Returns at once; nothing is said about the arrival.</summary>
    void Send(string node, string topic, string body);

    /// <summary>Tells every other node.</summary>
    void Broadcast(string topic, string body);

    /// <summary>Handles a topic's signals, one after the other. The handler must be quick: every other signal waits for it.</summary>
    void On(string topic, Action<Signal> handler);

    /// <summary>Called when signals to this node may have been lost.</summary>
    void OnMissed(Action handler);
}

/// <summary>A message that arrived.</summary>
/// <param name="Topic">What it is about.</param>
/// <param name="Sender">The node that sent it.</param>
/// <param name="Body">As the topic defines it.</param>
internal readonly record struct Signal(string Topic, string Sender, string Body);
