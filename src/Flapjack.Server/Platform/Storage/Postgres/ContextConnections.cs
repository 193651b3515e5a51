using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Flapjack.Server.Platform.Storage.Postgres;

/// <summary>What happens before EF Core opens a connection: a silent database is refused, and no command is used again.</summary>
/// <remarks>
/// Contexts are pooled with their connections, and the driver (Npgsql 10.0.3) keeps a disposed command with its connection to use it again.
/// It clears the command, but for the mark that its statement is being prepared. A connection that breaks at that moment leaves the mark,
/// and the next statement fails with a null reference and leaves its rows to whoever gets the connection next.
/// </remarks>
internal sealed class ContextConnections(PostgresPulse pulse) : DbConnectionInterceptor
{
    public override InterceptionResult ConnectionOpening(DbConnection connection, ConnectionEventData eventData, InterceptionResult result)
    {
        Prepare(connection);
        return result;
    }

    public override ValueTask<InterceptionResult> ConnectionOpeningAsync(DbConnection connection, ConnectionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
    {
        Prepare(connection);
        return ValueTask.FromResult(result);
    }

    private void Prepare(DbConnection connection)
    {
        pulse.ThrowIfSilent();
        // Takes the kept command away. It is not disposed: that would keep it again.
        _ = connection.CreateCommand();
    }
}
