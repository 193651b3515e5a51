using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Accounts;

/// <summary>Deletes sessions and login links that expired a day ago; until then a late use can still be told from an unknown one.</summary>
internal sealed class SessionExpiry(IWriter writer, TimeProvider time) : IHousekeepingTask
{
    public string Name => "expired sessions and login links";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var before = time.Now().AddDays(-1);
        await Batches.DeleteAsync(writer, [SessionExpirySql.Sessions(before)], cancellationToken);
        await Batches.DeleteAsync(writer, [SessionExpirySql.LoginLinks(before)], cancellationToken);
    }
}

internal static class SessionExpirySql
{
    public static SqlStatement Sessions(DateTime before) =>
        new("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT 500)", [before]);

    public static SqlStatement LoginLinks(DateTime before) =>
        new("DELETE FROM login_links WHERE id IN (SELECT id FROM login_links WHERE expires_at < $1 LIMIT 500)", [before]);
}
