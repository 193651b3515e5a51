using Npgsql;

namespace Flapjack.Server.Platform.Signals.Postgres;

/// <summary>Signals over <c>LISTEN</c> and <c>NOTIFY</c>: a channel for each node and one for all.</summary>
internal sealed class PostgresSignals(NodeName self, SignalHandlers handlers, SignalSender sender, NpgsqlDataSource source) : ISignals
{
    public const string Everybody = "flapjack_all";

    /// <summary>A node's channel, which is also what its listening connection calls itself; null for what is no node's name.</summary>
    public static string? ChannelOf(string node) => node.Length >= 32 && Guid.TryParseExact(node.AsSpan(node.Length - 32), "N", out var id) ? $"flapjack_{id:N}" : null;

    // The database knows who listens, and knows it at once when a process has died.
    public async ValueTask<bool> ReachesAsync(string node, CancellationToken cancellationToken)
    {
        if (ChannelOf(node) is not { } channel) return false;
        await using var command = source.CreateCommand("SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()");
        command.Parameters.Add(new() { Value = channel });
        return await command.ExecuteScalarAsync(cancellationToken) is not null;
    }

    public void Send(string node, string topic, string body)
    {
        if (node == self.Value) handlers.Handle(new(topic, node, body));
        else if (ChannelOf(node) is { } channel) sender.Enqueue(channel, SignalPackets.Write(new(topic, self.Value, body)));
    }

    public void Broadcast(string topic, string body) => sender.Enqueue(Everybody, SignalPackets.Write(new(topic, self.Value, body)));

    public void On(string topic, Action<Signal> handler) => handlers.On(topic, handler);

    public void OnMissed(Action handler) => handlers.OnMissed(handler);
}
