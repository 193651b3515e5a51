namespace Flapjack.Server.Platform.Identity;

/// <summary>Tells running work on this node that the credential it runs under (an API key or a session) has ended.</summary>
internal sealed class Revocations
{
    private const int Remembered = 1_000;
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, List<Subscription>> _subscriptions = [];
    private readonly HashSet<Guid> _revoked = [];
    private readonly Queue<Guid> _order = new();

    /// <summary>Credentials somebody watches at the moment.</summary>
    public IReadOnlyList<Guid> Watched
    {
        get { lock (_lock) return [.. _subscriptions.Keys]; }
    }

    /// <summary>Calls everybody who watches this credential. Repeating it does no harm.</summary>
    public void Revoke(Guid credentialId)
    {
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
