using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Platform.Storage;

/// <summary>Tells a database that is away, full or slow from a statement that is wrong.</summary>
internal static class DatabaseFaults
{
    private const int ConstraintViolated = 19;
    private const string UniqueViolated = "23505";

    /// <summary>True when the same statement may succeed later. EF Core wraps what a database says up to two times.</summary>
    public static bool IsOutage(Exception? exception) => exception switch
    {
        null => false,
        // A broken constraint is this server's own fault and no reason to try again.
        DbException { SqlState: ['2', '3', ..] } or SqliteException { SqliteErrorCode: ConstraintViolated } => false,
        DbException or TimeoutException => true,
        _ => IsOutage(exception.InnerException),
    };

    /// <summary>True when somebody else stored, changed or deleted the same row meanwhile. Whatever else keeps a change from being saved is no conflict.</summary>
    public static bool IsConflict(DbUpdateException fault) => fault is DbUpdateConcurrencyException || fault.InnerException is { } inner && IsDuplicate(inner);

    /// <summary>True when a row of the same key is there already.</summary>
    public static bool IsDuplicate(Exception exception) => exception is DbException { SqlState: UniqueViolated } or SqliteException { SqliteErrorCode: ConstraintViolated };
}
