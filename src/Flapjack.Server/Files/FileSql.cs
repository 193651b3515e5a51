using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Files;

/// <summary>Statements about files. A file that a message begins to use is locked by losing its expiry, so that nothing deletes it at that moment.</summary>
internal static class FileSql
{
    private const string BeginText = """
        INSERT INTO files (id, org_id, thread_id, user_id, name, media_type, size_bytes, sha256, purpose, ready, expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """;

    private const string AppendText = "INSERT INTO file_chunks (file_id, position, content) SELECT $1, $2, $3 WHERE EXISTS (SELECT 1 FROM files WHERE id = $1)";

    private const string FinishText = "UPDATE files SET ready = $3, media_type = $4, size_bytes = $5, sha256 = $6 WHERE id = $1 AND org_id = $2";

    private const string ChunkText = "SELECT c.content FROM file_chunks c JOIN files f ON f.id = c.file_id WHERE c.file_id = $1 AND c.position = $2 AND f.org_id = $3";

    private const string DeleteUnusedText = "DELETE FROM files WHERE id = $1 AND org_id = $2 AND expires_at IS NOT NULL";

    private const string SweepText = "DELETE FROM files WHERE expires_at IS NOT NULL AND id IN (SELECT id FROM files WHERE expires_at < $1 ORDER BY expires_at LIMIT 20)";

    private const string KeepText = "UPDATE files SET expires_at = NULL WHERE id = $1 AND EXISTS (SELECT 1 FROM messages m WHERE m.id = $2 AND m.org_id = files.org_id)";

    private const string UseText = """
        INSERT INTO file_uses (org_id, thread_id, seq, file_id)
        SELECT m.org_id, m.thread_id, m.seq, f.id FROM messages m JOIN files f ON f.org_id = m.org_id WHERE m.id = $2 AND f.id = $1
        ON CONFLICT DO NOTHING
        """;

    private const string CopyUsesText = """
        INSERT INTO file_uses (org_id, thread_id, seq, file_id)
        SELECT org_id, $2, seq, file_id FROM file_uses WHERE thread_id = $1 AND seq <= $3 AND EXISTS (SELECT 1 FROM threads WHERE id = $2)
        """;

    /// <summary>Makes a file whose content follows.</summary>
    public static SqlStatement Begin(StoredFile f) => new(BeginText, [f.Id, f.OrgId, f.ThreadId, f.UserId, f.Name, f.MediaType, f.SizeBytes, f.Sha256, f.Purpose, f.Ready, f.ExpiresAt, f.CreatedAt]);

    /// <summary>Adds a piece of content; no row when the file is gone.</summary>
    public static SqlStatement Append(Guid file, int position, byte[] content) => new(AppendText, [file, position, content]);

    /// <summary>The content is whole.</summary>
    public static SqlStatement Finish(StoredFile f) => new(FinishText, [f.Id, f.OrgId, true, f.MediaType, f.SizeBytes, f.Sha256]);

    /// <summary>A piece of a file's content.</summary>
    public static SqlStatement Chunk(Guid file, int position, Guid org) => new(ChunkText, [file, position, org]);

    /// <summary>Deletes a file unless a message uses it.</summary>
    public static SqlStatement DeleteUnused(Guid file, Guid org) => new(DeleteUnusedText, [file, org]);

    /// <summary>Deletes some files that nobody used in time.</summary>
    public static SqlStatement Sweep(DateTime before) => new(SweepText, [before]);

    /// <summary>Notes that a message uses a file. Does nothing when the message was not stored in the same unit before.</summary>
    public static SqlStatement[] Use(Guid file, Guid message) => [new(KeepText, [file, message]), new(UseText, [file, message])];

    /// <summary>The messages of <paramref name="fork"/> up to <paramref name="lastSeq"/> use what those of <paramref name="thread"/> do.</summary>
    public static SqlStatement CopyUses(Guid thread, Guid fork, long lastSeq) => new(CopyUsesText, [thread, fork, lastSeq]);
}
