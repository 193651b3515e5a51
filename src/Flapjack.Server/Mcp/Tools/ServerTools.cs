using System.Collections.Concurrent;
using Flapjack.Server.Mcp.Connections;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;

namespace Flapjack.Server.Mcp.Tools;

/// <summary>The tools of servers: listed now and then, kept in the server's row, never asked for while somebody waits without need.</summary>
internal sealed partial class ServerTools : IDisposable
{
    /// <summary>A listing older than this is renewed when a turn starts.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromMinutes(10);

    // A turn that has an older listing waits no longer than this for a newer one.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RestAfterSlowFailure = TimeSpan.FromSeconds(60), Slow = TimeSpan.FromSeconds(2);

    private readonly Databases _databases;
    private readonly McpConnections _connections;
    private readonly TimeProvider _time;
    private readonly ILogger<ServerTools> _logger;
    private readonly MemoryCache _known = new(new MemoryCacheOptions { SizeLimit = 20_000 });
    private readonly ConcurrentDictionary<(Guid Id, int Revision), Lazy<Task<ToolListing>>> _renewals = new();

    public ServerTools(Databases databases, McpConnections connections, TimeProvider time, ILogger<ServerTools> logger)
    {
        (_databases, _connections, _time, _logger) = (databases, connections, time, logger);
        connections.ToolsChanged += id => Remember(id, known => known with { IsStale = true });
    }

    /// <summary>The tools for a turn that starts: those at hand while they are fresh, else new ones, else the old ones.</summary>
    public async ValueTask<ToolListing> ForTurnAsync(AttachedServer server, CancellationToken cancellationToken)
    {
        var known = Known(server.Access.Id);
        var tools = known?.Revision == server.Access.Revision && known.Tools is { } own ? own : server.Tools;
        var listedAt = Later(server.ListedAt, known?.Revision == server.Access.Revision ? known.ListedAt : null);
        if (listedAt is { } at && known is not { IsStale: true } && _time.Now() - at <= Fresh) return new(tools, 0);
        if (known is { Failure: { } fault, FailedAt: { } failedAt } && known.Revision == server.Access.Revision && _time.Now() - failedAt < RestAfterSlowFailure) return new(tools, 0, fault);
        var renewal = RenewAsync(server.Access, CancellationToken.None);
        try
        {
            var listing = listedAt is null ? await renewal.WaitAsync(cancellationToken) : await renewal.WaitAsync(Patience, _time, cancellationToken);
            return listing.Fault is null ? listing : new(tools, 0, listing.Fault);
        }
        catch (TimeoutException)
        {
            // The renewal goes on and serves the turns after this one.
            return new(tools, 0);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever it is: turns go on without this server's news.
            LogBroken(_logger, server.Access.Id, exception);
            return new(tools, 0, McpFault.Of(exception));
        }
    }

    /// <summary>Asks the server for its tools and keeps the answer, or why there is none. Those who ask at once share one answer.</summary>
    public Task<ToolListing> RenewAsync(ServerAccess access, CancellationToken cancellationToken) =>
        _renewals.GetOrAdd((access.Id, access.Revision), _ => new(() => RunAsync(access))).Value.WaitAsync(cancellationToken);

    public void Dispose() => _known.Dispose();

    // Removes itself: those who waited may be gone by then, and the next one asks anew.
    private async Task<ToolListing> RunAsync(ServerAccess access)
    {
        await Task.Yield();
        try
        {
            return await ListAsync(access);
        }
        finally
        {
            _renewals.TryRemove((access.Id, access.Revision), out _);
        }
    }

    private async Task<ToolListing> ListAsync(ServerAccess access)
    {
        var started = _time.Now();
        ToolListing listing;
        try
        {
            listing = await _connections.UseAsync(access, (connection, stop) => connection.ListToolsAsync(stop), McpConnector.Patience, CancellationToken.None);
        }
        catch (McpServerException exception)
        {
            LogFailed(_logger, access.Id, exception.Fault.Code, exception.Fault.Detail);
            listing = new([], 0, exception.Fault);
        }
        var isSlow = _time.Now() - started >= Slow;
        Remember(access.Id, known => listing.Fault is null
            ? new(access.Revision, listing.Tools, _time.Now(), false, null, null)
            : (known.Revision == access.Revision ? known : new(access.Revision, null, null, false, null, null)) with { Failure = listing.Fault, FailedAt = isSlow ? _time.Now() : null });
        await StoreAsync(access, listing);
        return listing;
    }

    private async Task StoreAsync(ServerAccess access, ToolListing listing)
    {
        await using var db = _databases.Open(access.OrgId);
        if (listing.Fault is { } fault)
        {
            await SetStatusAsync(db, access, fault);
            return;
        }
        var now = _time.Now();
        var (tools, note) = (ListedTool.Write(listing.Tools), listing.Note);
        await using var transaction = await db.Database.BeginTransactionAsync();
        var current = db.McpServers.Where(s => s.Id == access.Id && s.Revision == access.Revision);
        var changed = await current.Where(s => s.Tools != tools || s.ToolsCachedAt == null).ExecuteUpdateAsync(set => set.SetProperty(s => s.Tools, tools)) > 0;
        await current.ExecuteUpdateAsync(set => set.SetProperty(s => s.ToolsCachedAt, now).SetProperty(s => s.Status, McpServer.Active).SetProperty(s => s.LastError, note));
        if (changed) await db.McpChangedAsync(access.Id, CancellationToken.None);
        await transaction.CommitAsync();
    }

    /// <summary>Writes down that a server could not be used.</summary>
    public static Task SetStatusAsync(FlapjackDb db, ServerAccess access, McpFault fault)
    {
        var status = fault.Code == McpFault.Auth ? McpServer.NeedsAuth : McpServer.Failed;
        return db.McpServers.Where(s => s.Id == access.Id && s.Revision == access.Revision)
            .ExecuteUpdateAsync(set => set.SetProperty(s => s.Status, status).SetProperty(s => s.LastError, fault.Detail));
    }

    private Listed? Known(Guid id) => _known.Get<Listed>(id);

    private void Remember(Guid id, Func<Listed, Listed> change) =>
        _known.Set(id, change(Known(id) ?? Listed.Nothing), new MemoryCacheEntryOptions { Size = 1, SlidingExpiration = TimeSpan.FromHours(1) });

    private static DateTime? Later(DateTime? one, DateTime? other) => one is null ? other : other is null || one > other ? one : other;

    [LoggerMessage(1, LogLevel.Information, "Listing the tools of MCP server {Server} failed with {Code}: {Detail}")]
    private static partial void LogFailed(ILogger logger, Guid server, string code, string detail);

    [LoggerMessage(2, LogLevel.Warning, "The tools of MCP server {Server} could not be renewed")]
    private static partial void LogBroken(ILogger logger, Guid server, Exception exception);

    private sealed record Listed(int Revision, IReadOnlyList<ListedTool>? Tools, DateTime? ListedAt, bool IsStale, McpFault? Failure, DateTime? FailedAt)
    {
        public static readonly Listed Nothing = new(-1, null, null, false, null, null);
    }
}
