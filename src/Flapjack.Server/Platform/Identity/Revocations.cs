using Flapjack.Server.Platform.Signals;

namespace Flapjack.Server.Platform.Identity;

/// <summary>Tells running work, on every node, that the credential it runs under (an API key or a session) has ended.</summary>
internal sealed class Revocations
{
    private const string Topic = "credential.revoked";
    private const int Remembered = 1_000;
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, List<Subscription>> _subscriptions = [];
    private readonly HashSet<Guid> _revoked = [];
    private readonly Queue<Guid> _order = new();
    private readonly ISignals _signals;

    public Revocations(ISignals signals)
    {
        _signals = signals;
        signals.On(Topic, signal => Cut(Guid.Parse(signal.Body)));
    }

    /// <summary>Told of every revocation, wherever it happened. Quick, and does not throw.</summary>
    public event Action<Guid>? Revoked;

    /// <summary>Credentials somebody watches at the moment.</summary>
    public IReadOnlyList<Guid> Watched
    {
        get { lock (_lock) return [.. _subscriptions.Keys]; }
    }

    /// <summary>Calls everybody on any node who watches this credential. Repeating it does no harm.</summary>
    public void Revoke(Guid credentialId)
    {
        Cut(credentialId);
        _signals.Broadcast(Topic, credentialId.ToString());
    }

    /// <summary>Calls everybody on this node who watches this credential.</summary>
    public void Cut(Guid credentialId)
    {
        Revoked?.Invoke(credentialId);
        List<Subscription>? called;
        lock (_lock)
        {
            _subscriptions.Remove(credentialId, out called);
            if (_revoked.Add(credentialId)) _order.Enqueue(credentialId);
            if (_order.Count > Remembered) _revoked.Remove(_order.Dequeue());
        }
        if (called is null) return;
        foreach (var subscription in called) subscription.Callback();
    }

    /// <summary>Calls back once when the credential is revoked: at once when that happened between authentication and this call. The callback must be quick and must not throw, such as cancelling a token.</summary>
    public IDisposable OnRevoked(Guid credentialId, Action callback)
    {
        var subscription = new Subscription(this, credentialId, callback);
        lock (_lock)
        {
            if (!_revoked.Contains(credentialId))
            {
                if (!_subscriptions.TryGetValue(credentialId, out var list)) _subscriptions[credentialId] = list = [];
                list.Add(subscription);
                return subscription;
            }
        }
        callback();
        return subscription;
    }

    private void Remove(Subscription subscription)
    {
        lock (_lock)
        {
            if (_subscriptions.TryGetValue(subscription.CredentialId, out var list) && list.Remove(subscription) && list.Count == 0) _subscriptions.Remove(subscription.CredentialId);
        }
    }

    private sealed class Subscription(Revocations owner, Guid credentialId, Action callback) : IDisposable
    {
        public Guid CredentialId { get; } = credentialId;
        public Action Callback { get; } = callback;

        public void Dispose() => owner.Remove(this);
    }
}
