namespace Flapjack.Client;

public sealed partial class FlapjackClient
{
    /// <summary>Makes an account.</summary>
    public Task<Session> SignUpAsync(SignupRequest account, CancellationToken cancellationToken = default) => PostOnceAsync<Session>("api/auth/signup", account, cancellationToken);

    /// <summary>Begins a session.</summary>
    public Task<Session> LoginAsync(LoginRequest login, CancellationToken cancellationToken = default) => PostOnceAsync<Session>("api/auth/login", login, cancellationToken);

    /// <summary>Renews a session. A refresh token works once, so this is never repeated by itself.</summary>
    public Task<Session> RefreshSessionAsync(string refreshToken, CancellationToken cancellationToken = default) => PostOnceAsync<Session>("api/auth/refresh", new { refreshToken }, cancellationToken);

    /// <summary>Ends the session.</summary>
    public Task LogoutAsync(LogoutRequest? options = null, CancellationToken cancellationToken = default) => PostAsync<Done>("api/auth/logout", options ?? new(), cancellationToken);

    /// <summary>Who calls.</summary>
    public Task<Me> GetMeAsync(CancellationToken cancellationToken = default) => GetAsync<Me>("api/auth/me", cancellationToken);

    /// <summary>Changes the account.</summary>
    public Task<Me> UpdateMeAsync(MeChanges changes, CancellationToken cancellationToken = default) => PatchAsync<Me>("api/auth/me", changes, cancellationToken);

    /// <summary>Organisations of the caller.</summary>
    public Task<IReadOnlyList<Org>> ListOrgsAsync(int? limit = null, int? offset = null, CancellationToken cancellationToken = default) => GetAsync<IReadOnlyList<Org>>(With("api/orgs", ("limit", limit), ("offset", offset)), cancellationToken);

    /// <summary>Makes an organisation.</summary>
    public Task<Org> CreateOrgAsync(OrgRequest org, CancellationToken cancellationToken = default) => PostAsync<Org>("api/orgs", org, cancellationToken);

    /// <summary>An organisation.</summary>
    public Task<Org> GetOrgAsync(Guid orgId, CancellationToken cancellationToken = default) => GetAsync<Org>($"api/orgs/{orgId}", cancellationToken);

    /// <summary>Changes an organisation.</summary>
    public Task<Org> UpdateOrgAsync(Guid orgId, OrgRequest changes, CancellationToken cancellationToken = default) => PatchAsync<Org>($"api/orgs/{orgId}", changes, cancellationToken);

    /// <summary>Removes an organisation and everything in it; <paramref name="confirm"/> is its slug.</summary>
    public Task DeleteOrgAsync(Guid orgId, string confirm, CancellationToken cancellationToken = default) => DeleteAsync($"api/orgs/{orgId}", new { confirm }, cancellationToken);

    /// <summary>Members.</summary>
    public Task<IReadOnlyList<Member>> ListMembersAsync(Guid orgId, int? limit = null, int? offset = null, CancellationToken cancellationToken = default) => GetAsync<IReadOnlyList<Member>>(With($"api/orgs/{orgId}/members", ("limit", limit), ("offset", offset)), cancellationToken);

    /// <summary>Adds a member.</summary>
    public Task<Member> AddMemberAsync(Guid orgId, MemberRequest member, CancellationToken cancellationToken = default) => PostAsync<Member>($"api/orgs/{orgId}/members", member, cancellationToken);

    /// <summary>Changes a member's role.</summary>
    public Task<Member> UpdateMemberAsync(Guid orgId, Guid userId, MemberChanges changes, CancellationToken cancellationToken = default) => PatchAsync<Member>($"api/orgs/{orgId}/members/{userId}", changes, cancellationToken);

    /// <summary>Removes a member.</summary>
    public Task RemoveMemberAsync(Guid orgId, Guid userId, CancellationToken cancellationToken = default) => DeleteAsync($"api/orgs/{orgId}/members/{userId}", null, cancellationToken);

    /// <summary>Makes a link to log in with.</summary>
    public Task<LoginLink> CreateLoginLinkAsync(Guid orgId, Guid userId, LoginLinkRequest? link = null, CancellationToken cancellationToken = default) => PostAsync<LoginLink>($"api/orgs/{orgId}/members/{userId}/login-link", link ?? new(), cancellationToken);

    /// <summary>Open invites.</summary>
    public Task<IReadOnlyList<Invite>> ListInvitesAsync(Guid orgId, int? limit = null, int? offset = null, CancellationToken cancellationToken = default) => GetAsync<IReadOnlyList<Invite>>(With($"api/orgs/{orgId}/invites", ("limit", limit), ("offset", offset)), cancellationToken);

    /// <summary>Invites somebody.</summary>
    public Task<NewInvite> CreateInviteAsync(Guid orgId, InviteRequest invite, CancellationToken cancellationToken = default) => PostAsync<NewInvite>($"api/orgs/{orgId}/invites", invite, cancellationToken);

    /// <summary>Takes an invite back.</summary>
    public Task DeleteInviteAsync(Guid orgId, Guid inviteId, CancellationToken cancellationToken = default) => DeleteAsync($"api/orgs/{orgId}/invites/{inviteId}", null, cancellationToken);

    /// <summary>What is known of the signing secret.</summary>
    public Task<SigningSecret> GetSigningSecretAsync(Guid orgId, CancellationToken cancellationToken = default) => GetAsync<SigningSecret>($"api/orgs/{orgId}/signing-secret", cancellationToken);

    /// <summary>Replaces the signing secret; it is in this answer only.</summary>
    public Task<NewSigningSecret> RotateSigningSecretAsync(Guid orgId, SigningSecretRequest? secret = null, CancellationToken cancellationToken = default) => PostAsync<NewSigningSecret>($"api/orgs/{orgId}/signing-secret/rotate", secret ?? new(), cancellationToken);
}
