namespace Flapjack.Server.Platform.Identity;

internal enum CallerKind { Key, User, Demo, Visitor }

/// <summary>Roles of users, weakest first.</summary>
internal enum Role { Viewer, Member, Admin, Owner }

/// <summary>Who makes a request, as its credential says. Cached for seconds, so it holds nothing about the request itself.</summary>
internal sealed record Caller
{
    public required CallerKind Kind { get; init; }

    private const string VisitorPrefix = "public:";

    /// <summary>The key's organisation, or the user's default one.</summary>
    public required Guid OrgId { get; init; }

    /// <summary>Account of a user.</summary>
    public Guid? UserId { get; init; }

    public string? UserName { get; init; }

    /// <summary>Session of a user's token.</summary>
    public Guid? SessionId { get; init; }

    /// <summary>Id of an API key.</summary>
    public Guid? KeyId { get; init; }

    /// <summary>The published chat through which a visitor came.</summary>
    public Guid? PublicationId { get; init; }

    /// <summary>Whom a visitor is known as.</summary>
    public string? VisitorId { get; init; }

    /// <summary>Scopes of a key; null = everything.</summary>
    public IReadOnlySet<string>? Scopes { get; init; }

    /// <summary>Roles of a user by organisation.</summary>
    public IReadOnlyDictionary<Guid, Role> Roles { get; init; } = new Dictionary<Guid, Role>();

    /// <summary>One value per credential, for limits and idempotency.</summary>
    public Guid Identity => KeyId ?? UserId ?? PublicationId ?? Guid.Empty;

    /// <summary>What a visitor of a chat is called wherever the id of a user stands.</summary>
    public static string VisitorOf(string slug, string name) => $"{VisitorPrefix}{slug}:{name}";

    /// <summary>Whether an id of a user is a visitor's.</summary>
    public static bool IsVisitor(string? userId) => userId?.StartsWith(VisitorPrefix, StringComparison.Ordinal) == true;

    public bool Has(string scope) => Scopes is null || Scopes.Contains(scope) || scope.EndsWith(":read", StringComparison.Ordinal) && Scopes.Contains(scope[..^5] + ":write");
}

/// <summary>The caller of the current request and the organisation it acts in. Filled by <see cref="AccessMiddleware"/>; background work fills it by hand.</summary>
internal sealed class CallerContext
{
    private Caller? _caller;

    public Caller Caller => _caller ?? throw new InvalidOperationException("This request has no caller.");

    public bool IsKnown => _caller is not null;

    /// <summary>What can be revoked: the key, or the session of a user's token.</summary>
    public Guid Credential => _caller is null ? _credential : Caller.SessionId ?? Caller.Identity;

    /// <summary>The account of a user, or whom a visitor is known as; for work that was taken up again, whoever began it.</summary>
    public string? UserId => _caller is null ? _userId : Caller.UserId?.ToString() ?? Caller.VisitorId;

    public Guid OrgId { get; private set; }

    /// <summary>The user's role in the organisation acted in; null for keys.</summary>
    public Role? Role { get; private set; }

    private Role _requiredRole;
    private string? _userId;
    private Guid _credential;

    /// <summary>Admins, owners and keys reach everything of their organisation; other users what they take part in, and so do visitors.</summary>
    public bool SeesWholeOrg => _caller?.Kind != CallerKind.Visitor && Role is null or Identity.Role.Admin or Identity.Role.Owner;

    public void Enter(Caller caller, Guid orgId, Role requiredRole = Identity.Role.Viewer)
    {
        _caller = caller;
        _requiredRole = requiredRole;
        OrgId = orgId;
        Role = caller.Kind == CallerKind.User ? caller.Roles.TryGetValue(orgId, out var role) ? role : throw Http.ApiException.NotFound("Organisation") : null;
        if (Role < requiredRole) throw Http.ApiException.Forbidden($"requires role: {requiredRole.ToString().ToLowerInvariant()}");
    }

    /// <summary>A user who belongs to no organisation, at an endpoint that needs none.</summary>
    public void EnterAlone(Caller caller) => (_caller, _requiredRole, OrgId, Role) = (caller, Identity.Role.Viewer, Guid.Empty, Identity.Role.Viewer);

    /// <summary>A visitor of a published chat, who was let in without a credential.</summary>
    public void EnterVisitor(Guid orgId, Guid publicationId, string visitorId) => Enter(new() { Kind = CallerKind.Visitor, OrgId = orgId, PublicationId = publicationId, VisitorId = visitorId }, orgId);

    /// <summary>Background work acts for an organisation without a caller.</summary>
    public void EnterOrg(Guid orgId) => OrgId = orgId;

    /// <summary>Work that another request began and that is taken up again without it.</summary>
    public void Resume(Guid orgId, string? userId, Guid credential) => (OrgId, _userId, _credential) = (orgId, userId, credential);

    /// <summary>Acts in the organisation a request body names; a foreign one is 404.</summary>
    public void Choose(Guid? orgId)
    {
        if (orgId is not { } chosen || chosen == OrgId) return;
        if (Caller.Kind != CallerKind.User) throw Http.ApiException.NotFound("Organisation");
        Enter(Caller, chosen, _requiredRole);
    }
}

/// <summary>Recognises one kind of credential. Keys and accounts each bring one.</summary>
internal interface ICredentialReader
{
    /// <summary>True when the token has this reader's form.</summary>
    bool Recognises(string token);

    /// <summary>The caller; null when the credential is unknown, revoked or expired.</summary>
    ValueTask<Caller?> ReadAsync(string token, CancellationToken cancellationToken);

    /// <summary>Those of the credential ids that are this reader's and have been revoked.</summary>
    Task<IReadOnlyList<Guid>> RevokedAmongAsync(IReadOnlyList<Guid> credentialIds, CancellationToken cancellationToken);
}
