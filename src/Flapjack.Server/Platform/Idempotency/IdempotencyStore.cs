using System.Text;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Platform.Idempotency;

/// <summary>Claims keys and keeps answers. The unique index on the scope decides between requests that come at once, on any node.</summary>
internal sealed partial class IdempotencyStore(Databases databases, IWriter writer, SecretBox box, TimeProvider time, ILogger<IdempotencyStore> logger)
{
    /// <summary>How long an answer is given again.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <summary>A claim this old without an answer belongs to a node that died; no request takes so long but one that waits for its turn, whose claim is renewed, and a stream, whose turn is recorded.</summary>
    public static readonly TimeSpan Abandoned = TimeSpan.FromMinutes(5);

    /// <summary>Our claim; null when another request holds the key, which <paramref name="scope"/> then finds.</summary>
    public async Task<IdempotencyClaim?> ClaimAsync(Guid orgId, string scope, string bodyHash, CancellationToken cancellationToken)
    {
        var claim = new IdempotencyClaim(Ids.New());
        var now = time.Now();
        var result = await writer.WriteAsync([IdempotencySql.DropExpired(scope, now - Lifetime), IdempotencySql.Claim(claim.Id, orgId, scope, bodyHash, now)], cancellationToken);
        return result.Affected[1] == 1 ? claim : null;
    }

    public async Task<IdempotencyRecord?> FindAsync(string scope, CancellationToken cancellationToken)
    {
        await using var db = databases.OpenForServer();
        return await db.IdempotencyRecords.IgnoreQueryFilters().AsNoTracking().FirstOrDefaultAsync(r => r.Scope == scope, cancellationToken);
    }

    /// <summary>Takes the key of a request that will never answer; null when it is not abandoned or another request was faster.</summary>
    public async Task<IdempotencyClaim?> TakeOverAsync(IdempotencyRecord record, CancellationToken cancellationToken)
    {
        var now = time.Now();
        if (record.CreatedAt > now - Abandoned) return null;
        var claim = new IdempotencyClaim(Ids.New());
        var result = await writer.WriteAsync([IdempotencySql.TakeOver(record.Id, claim.Id, now)], cancellationToken);
        return result.Affected[0] == 1 ? claim : null;
    }

    /// <summary>The request still waits to be executed: its claim is no dead node's.</summary>
    public Task RenewAsync(IdempotencyClaim claim) => writer.WriteAsync([IdempotencySql.Renew(claim.Id, time.Now())], CancellationToken.None);

    /// <summary>Renews a claim until its request begins or gives up. It never fails: what goes wrong is logged, and the next round comes well before the claim counts as abandoned.</summary>
    public async Task RenewUntilAsync(Task begun, IdempotencyClaim claim)
    {
        using var timer = new PeriodicTimer(Abandoned / 5, time);
        _ = begun.ContinueWith(_ => timer.Dispose(), TaskScheduler.Default);
        while (await timer.WaitForNextTickAsync())
        {
            try
            {
                await RenewAsync(claim);
            }
            catch (Exception exception)
            {
                LogNotRenewed(logger, exception);
            }
        }
    }

    public Task KeepAsync(IdempotencyClaim claim, KeptAnswer answer) =>
        writer.WriteAsync([IdempotencySql.Keep(claim.Id, answer.Status, answer.ContentType, box.SealBytes(answer.Pack(), Place(claim.Id)))], CancellationToken.None);

    /// <summary>Notes the turn whose events are the answer.</summary>
    public Task NoteTurnAsync(IdempotencyClaim claim, Guid turnId) => writer.WriteAsync([claim.TurnStatement(turnId)], CancellationToken.None);

    /// <summary>Gives the key back, so that the request can be tried again. A claim with a turn stays: its message is stored.</summary>
    public Task ReleaseAsync(IdempotencyClaim claim) => writer.WriteAsync([IdempotencySql.Release(claim.Id)], CancellationToken.None);

    public Task ForgetAsync(IdempotencyClaim claim) => writer.WriteAsync([IdempotencySql.Forget(claim.Id)], CancellationToken.None);

    public KeptAnswer Open(IdempotencyRecord record) => KeptAnswer.Unpack(record.Status!.Value, record.ContentType, box.OpenBytes(record.Body!, Place(record.Id)));

    [LoggerMessage(1, LogLevel.Warning, "The claim of a request that waits could not be renewed")]
    private static partial void LogNotRenewed(ILogger logger, Exception exception);

    private static string Place(Guid id) => $"idempotency_records/{id}/body";
}

/// <summary>The right of this request to be the one that is executed. A feature of the request while it runs.</summary>
internal sealed record IdempotencyClaim(Guid Id)
{
    /// <summary>Notes the turn that answers this request. Written in the same unit as the turn itself, no crash can come between the two.</summary>
    public SqlStatement TurnStatement(Guid turnId) => IdempotencySql.NoteTurn(Id, turnId);
}

/// <summary>An answer as it is given again, with the headers that are part of it.</summary>
internal sealed record KeptAnswer(int Status, string? ContentType, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    // Their order is stored.
    private static readonly string[] Kept = ["Location", "X-Flapjack-Thread", "Mcp-Session-Id"];

    public static IReadOnlyDictionary<string, string> HeadersOf(IHeaderDictionary headers) =>
        Kept.Where(headers.ContainsKey).ToDictionary(name => name, name => headers[name].ToString(), StringComparer.OrdinalIgnoreCase);

    /// <summary>Length of the headers in two bytes, their values as lines, body.</summary>
    public byte[] Pack()
    {
        var headers = Encoding.UTF8.GetBytes(string.Join('\n', Kept.Select(name => Headers.GetValueOrDefault(name, ""))).TrimEnd('\n'));
        return [(byte)(headers.Length >> 8), (byte)headers.Length, .. headers, .. Body];
    }

    public static KeptAnswer Unpack(int status, string? contentType, byte[] packed)
    {
        var length = packed[0] << 8 | packed[1];
        var values = Encoding.UTF8.GetString(packed, 2, length).Split('\n');
        var headers = Kept.Zip(values).Where(pair => pair.Second.Length > 0).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.OrdinalIgnoreCase);
        return new(status, contentType, headers, packed[(2 + length)..]);
    }
}
