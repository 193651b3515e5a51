using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Housekeeping;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Accounts.Credentials;

/// <summary>Clears away what has run out: sessions, login links, invites, counts of failed logins.</summary>
internal sealed class SessionSweep(IWriter writer, TimeProvider time) : IHousekeepingTask
{
    public string Name => "sessions, links and invites";

    public HousekeepingScope Scope => HousekeepingScope.Cluster;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var now = time.Now();
        await Batches.DeleteAsync(writer, [new("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)", [now])], cancellationToken);
        await Batches.DeleteAsync(writer, [new("DELETE FROM invites WHERE id IN (SELECT id FROM invites WHERE expires_at <= $1 LIMIT 500)", [now])], cancellationToken);
        await Batches.DeleteAsync(writer, [LoginFailureSql.Sweep(now - LoginFailures.Window)], cancellationToken);
        await Batches.DeleteAsync(writer, [new("DELETE FROM login_links WHERE id IN (SELECT id FROM login_links WHERE expires_at <= $1 LIMIT 500)", [now])], cancellationToken);
    }
}
