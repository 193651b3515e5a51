using Flapjack.Server.Accounts.Credentials;
using Flapjack.Server.Platform.Identity;

namespace Flapjack.Server.Accounts.External;

/// <summary>Recognises tokens of other issuers. The first request with a token is its login: it opens a session, which logout and revocation then end like any other.</summary>
internal sealed class ExternalTokenReader(TrustedIssuers issuers, SessionCallers sessions, Admission admission) : ICredentialReader
{
    public bool Recognises(string token) => token.StartsWith("eyJ", StringComparison.Ordinal) && issuers.Names(token);

    public async ValueTask<Caller?> ReadAsync(string token, CancellationToken cancellationToken)
    {
        if (await issuers.ReadAsync(token, cancellationToken) is not { } proven) return null;
        var session = await sessions.FindAsync(proven.SessionId, cancellationToken);
        if (session is null)
        {
            await admission.AdmitAsync(proven, cancellationToken);
            session = await sessions.FindAsync(proven.SessionId, cancellationToken);
        }
        return session is { IsLive: true } ? session.Caller : null;
    }

    // Their sessions stand among the others, whose reader looks after them.
    public Task<IReadOnlyList<Guid>> RevokedAmongAsync(IReadOnlyList<Guid> credentialIds, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<Guid>>([]);
}
