using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Platform.Idempotency;

/// <summary>The statements of idempotency; both databases run them.</summary>
internal static class IdempotencySql
{
    public static SqlStatement Claim(Guid id, Guid orgId, string scope, string bodyHash, DateTime now) => new(
        "INSERT INTO idempotency_records (id, org_id, scope, body_hash, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (scope) DO NOTHING",
        [id, orgId, scope, bodyHash, now]);

    public static SqlStatement TakeOver(Guid id, Guid newId, DateTime now) => new(
        "UPDATE idempotency_records SET id = $2, created_at = $3 WHERE id = $1 AND status IS NULL AND turn_id IS NULL", [id, newId, now]);

    public static SqlStatement Renew(Guid id, DateTime now) => new("UPDATE idempotency_records SET created_at = $2 WHERE id = $1 AND status IS NULL AND turn_id IS NULL", [id, now]);

    public static SqlStatement Keep(Guid id, int status, string? contentType, byte[] body) => new(
        "UPDATE idempotency_records SET status = $2, content_type = $3, body = $4 WHERE id = $1", [id, status, contentType, body]);

    public static SqlStatement NoteTurn(Guid id, Guid turnId) => new("UPDATE idempotency_records SET turn_id = $2 WHERE id = $1", [id, turnId]);

    public static SqlStatement Release(Guid id) => new("DELETE FROM idempotency_records WHERE id = $1 AND status IS NULL AND turn_id IS NULL", [id]);

    /// <summary>Also when a turn is noted: its answer was a failure, and those are not kept.</summary>
    public static SqlStatement Forget(Guid id) => new("DELETE FROM idempotency_records WHERE id = $1 AND status IS NULL", [id]);

    public static SqlStatement DropExpired(string scope, DateTime before) => new("DELETE FROM idempotency_records WHERE scope = $1 AND created_at < $2", [scope, before]);

    /// <summary>One bounded batch.</summary>
    public static SqlStatement Sweep(DateTime before) => new(
        "DELETE FROM idempotency_records WHERE id IN (SELECT id FROM idempotency_records WHERE created_at < $1 ORDER BY created_at LIMIT 500)", [before]);
}
