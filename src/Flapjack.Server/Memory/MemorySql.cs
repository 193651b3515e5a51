using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Memory;

internal static class MemorySql
{
    private const string TouchText = "UPDATE memories SET last_used_at = $2, touched_at = $2 WHERE id = $1 AND org_id = $3 AND touched_at <= $2";

    /// <summary>Notes that a memory was used.</summary>
    public static SqlStatement Touch(MemoryEntry memory, DateTime now) => new(TouchText, [memory.Id, now, memory.OrgId]);
}
