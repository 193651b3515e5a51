using System.Collections.Concurrent;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Signals;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Knowledge.Indexing;

/// <summary>Documents that wait to be read. The rows are the queue; this wakes those who work, and those who wait for a document.</summary>
internal sealed class IndexQueue : IDisposable
{
    private const string Topic = "knowledge";

    /// <summary>How long a node may be silent before others take its work. All times are the database's.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(60);

    private readonly IWriter _writer;
    private readonly IReader _reader;
    private readonly Databases _databases;
    private readonly NodeName _node;
    private readonly ISignals _signals;
    private readonly ServerSettings _settings;
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> _waiting = new();
    private readonly ConcurrentDictionary<(Guid Document, long Claim), bool> _running = new();
    private readonly WorkBell _bell;

    public IndexQueue(IWriter writer, IReader reader, Databases databases, NodeName node, ISignals signals, ServerSettings settings)
    {
        (_writer, _reader, _databases, _node, _signals, _settings) = (writer, reader, databases, node, signals, settings);
        _bell = new(settings.Knowledge.Workers);
        signals.On(Topic, signal => { if (Guid.TryParse(signal.Body, out var id)) Complete(id); });
    }

    /// <summary>Something was queued.</summary>
    public void Wake() => _bell.Ring();

    /// <summary>Waits until something is queued here, or the time is up.</summary>
    public Task WaitForWorkAsync(TimeSpan longest, TimeProvider time, CancellationToken cancellationToken) => _bell.WaitAsync(longest, time, cancellationToken);

    /// <summary>Completes when the document's work is done, on whatever node; signals may be lost, so wait no longer than fits.</summary>
    public Task DoneAsync(Guid document) => _waiting.GetOrAdd(document, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Forget(Guid document) => _waiting.TryRemove(document, out _);

    /// <summary>The document's work is done.</summary>
    public void Done(Guid document)
    {
        Complete(document);
        _signals.Broadcast(Topic, document.ToString());
    }

    /// <summary>The next document, which is this node's until <see cref="End"/>; null when none waits.</summary>
    public async Task<Document?> TakeAsync(CancellationToken cancellationToken)
    {
        foreach (var (id, org, claim) in await _reader.ReadAllAsync(IndexSql.Waiting(), static row => (row.Id(), row.Id(), row.Long()), cancellationToken))
        {
            if ((await _writer.WriteAsync([IndexSql.Claim(id, claim, _node.Value, Lease)], cancellationToken)).Affected[0] == 0) continue;
            await using var db = _databases.Open(org);
            var taken = await db.Documents.AsNoTracking().FirstOrDefaultAsync(d => d.Id == id, CancellationToken.None);
            if (taken is null) continue;
            _running[(id, taken.Claim)] = true;
            return taken;
        }
        return null;
    }

    /// <summary>Nobody here works on it any more. Unless it is done or released, it is taken again when its lease ends.</summary>
    public void End(Document document) => _running.TryRemove((document.Id, document.Claim), out _);

    /// <summary>Keeps what is worked on here, and nothing else.</summary>
    public Task RenewAsync() => Task.WhenAll(_running.Keys.Select(work => _writer.WriteAsync([IndexSql.Renew(work.Document, work.Claim, Lease)])));

    /// <summary>Gives work back to whoever comes next.</summary>
    public Task ReleaseAsync(Document document, bool uncounted) => _writer.WriteAsync([IndexSql.Release(document.Id, document.Claim, uncounted)]);

    /// <summary>At the start: what a node that is surely gone had begun. On SQLite there is no other node.</summary>
    public async Task RecoverAsync()
    {
        if (!_settings.UsesPostgres) await _writer.WriteAsync([IndexSql.ReleaseNode(null)]);
        else if (_node.Predecessor is { } dead) await _writer.WriteAsync([IndexSql.ReleaseNode(dead)]);
    }

    public void Dispose() => _bell.Dispose();

    private void Complete(Guid document)
    {
        if (_waiting.TryRemove(document, out var waiting)) waiting.TrySetResult();
    }
}
