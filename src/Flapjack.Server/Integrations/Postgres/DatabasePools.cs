using System.Net;
using System.Net.Sockets;
using Flapjack.Server.Platform.Egress;
using Npgsql;

namespace Flapjack.Server.Integrations.Postgres;

/// <summary>Connections to customers' databases: a small pool for each integration, to addresses that were checked.</summary>
/// <remarks>
/// The driver would resolve a host by itself, past the network rules. So a pool is made for one address that was resolved and checked here, and
/// TLS is told the name that was given. Unused connections close after <see cref="DatabaseLimits.Idle"/>; a pool lives five minutes, then the host
/// is resolved and checked again. The driver clears every session (<c>DISCARD ALL</c>) before somebody else gets it.
/// </remarks>
internal sealed class DatabasePools(EgressGuard guard, DatabaseLimits limits, TimeProvider time) : IAsyncDisposable
{
    private const int MaxPools = 500, MaxAddresses = 4;
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(5);
    private readonly Dictionary<Guid, Pool> _pools = [];
    private readonly Dictionary<(Guid Id, DatabaseAddress Address), Task<Pool>> _making = [];
    private readonly Lock _lock = new();

    /// <summary>An open connection; dispose it soon. Throws <see cref="EgressRefusedException"/>, <see cref="NpgsqlException"/>, <see cref="SocketException"/> or <see cref="TimeoutException"/>.</summary>
    public async Task<NpgsqlConnection> OpenAsync(Guid integrationId, DatabaseAddress address, CancellationToken cancellationToken)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            var pool = Find(integrationId, address) ?? await MakeAsync(integrationId, address).WaitAsync(cancellationToken);
            try
            {
                return await pool.Source.OpenConnectionAsync(cancellationToken);
            }
            catch (Exception exception) when (isFirst && (exception is ObjectDisposedException || IsUnreachable(exception)))
            {
                // The host may have moved: look again.
                Drop(integrationId, pool);
            }
        }
    }

    /// <summary>Closes the connections of an integration that was changed or deleted; those in use close when they are given back.</summary>
    public void Close(Guid integrationId)
    {
        Pool? pool;
        lock (_lock) _pools.Remove(integrationId, out pool);
        pool?.Source.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        List<Pool> all;
        lock (_lock)
        {
            all = [.. _pools.Values];
            _pools.Clear();
        }
        foreach (var pool in all) await pool.Source.DisposeAsync();
    }

    // A pool whose connections are all in use is no reason to make another one, with as many again.
    private static bool IsUnreachable(Exception exception) => !DatabaseFault.IsBusy(exception)
        && (exception is SocketException or TimeoutException || exception is NpgsqlException and not PostgresException && exception.InnerException is SocketException or TimeoutException or IOException);

    // Whoever comes while a pool is being made waits for that one.
    private Task<Pool> MakeAsync(Guid id, DatabaseAddress address)
    {
        lock (_lock)
        {
            if (_pools.TryGetValue(id, out var made) && IsGood(made, address)) return Task.FromResult(made);
            if (_making.TryGetValue((id, address), out var making)) return making;
            return _making[(id, address)] = Task.Run(() => MakeOnceAsync(id, address));
        }
    }

    private async Task<Pool> MakeOnceAsync(Guid id, DatabaseAddress address)
    {
        using var ending = new CancellationTokenSource(limits.Total);
        try
        {
            return await ConnectAsync(id, address, ending.Token).WaitAsync(limits.Total + TimeSpan.FromSeconds(1), CancellationToken.None);
        }
        finally
        {
            lock (_lock) _making.Remove((id, address));
        }
    }

    private async Task<Pool> ConnectAsync(Guid id, DatabaseAddress address, CancellationToken cancellationToken)
    {
        var addresses = await guard.ResolveAsync(address.Host, address.Port, cancellationToken);
        for (var i = 0; ; i++)
        {
            var source = Build(address, addresses[i]);
            try
            {
                await using (await source.OpenConnectionAsync(cancellationToken)) { }
                var pool = new Pool(address, source, time.GetTimestamp());
                Keep(id, pool);
                return pool;
            }
            catch (Exception exception)
            {
                await source.DisposeAsync();
                if (!IsUnreachable(exception) || i + 1 >= Math.Min(addresses.Length, MaxAddresses)) throw;
            }
        }
    }

    private Pool? Find(Guid id, DatabaseAddress address)
    {
        Pool? old;
        lock (_lock)
        {
            if (!_pools.TryGetValue(id, out old)) return null;
            if (IsGood(old, address)) return old;
            _pools.Remove(id);
        }
        old.Source.Dispose();
        return null;
    }

    private bool IsGood(Pool pool, DatabaseAddress address) => pool.Address == address && time.GetElapsedTime(pool.MadeAt) < Life;

    private void Keep(Guid id, Pool pool)
    {
        var closed = new List<Pool>();
        lock (_lock)
        {
            if (_pools.Remove(id, out var other)) closed.Add(other);
            foreach (var (key, old) in _pools.Where(p => time.GetElapsedTime(p.Value.MadeAt) >= Life).ToList())
            {
                _pools.Remove(key);
                closed.Add(old);
            }
            if (_pools.Count >= MaxPools)
            {
                var (key, oldest) = _pools.MinBy(p => p.Value.MadeAt);
                _pools.Remove(key);
                closed.Add(oldest);
            }
            _pools[id] = pool;
        }
        foreach (var old in closed) old.Source.Dispose();
    }

    private void Drop(Guid id, Pool pool)
    {
        lock (_lock)
        {
            if (_pools.TryGetValue(id, out var current) && ReferenceEquals(current, pool)) _pools.Remove(id);
        }
        pool.Source.Dispose();
    }

    private NpgsqlDataSource Build(DatabaseAddress address, IPAddress checkedAddress)
    {
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = checkedAddress.ToString(),
            Port = address.Port,
            Database = address.Database,
            Username = address.User,
            SslMode = address.SslMode,
            ChannelBinding = address.ChannelBinding,
            GssEncryptionMode = GssEncryptionMode.Disable,
            // Never this machine's own Kerberos identity.
            RequireAuth = "ScramSHA256,MD5,Password,None",
            ApplicationName = "flapjack",
            MaxPoolSize = limits.Connections,
            ConnectionIdleLifetime = Seconds(limits.Idle),
            ConnectionPruningInterval = Math.Max(1, Seconds(limits.Idle) / 3),
            Timeout = Seconds(limits.Connect),
            CommandTimeout = Seconds(limits.Statement) + 5,
            CancellationTimeout = 2_000,
            Enlist = false,
            MaxAutoPrepare = 0,
        };
        var builder = new NpgsqlSlimDataSourceBuilder(settings.ConnectionString);
        builder.EnableTransportSecurity();
        // Everything is read as text, so the database's types need not be known.
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        // Without a password of its own the driver would look for one in this machine's environment and files.
        builder.UsePasswordProvider(_ => address.Password, (_, _) => new(address.Password));
        builder.UseSslClientAuthenticationOptionsCallback(tls => (tls.TargetHost, tls.ClientCertificates) = (address.Host, null));
        return builder.Build();
    }

    private static int Seconds(TimeSpan time) => Math.Max(1, (int)time.TotalSeconds);

    private sealed record Pool(DatabaseAddress Address, NpgsqlDataSource Source, long MadeAt);
}
