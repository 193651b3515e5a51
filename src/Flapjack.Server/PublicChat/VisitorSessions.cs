using System.Security.Cryptography;
using System.Text;
using Flapjack.Server.Accounts;
using Flapjack.Server.Agents.Publishing;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Identity;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Flapjack.Server.PublicChat;

/// <summary>Who a visitor is, and until when the server believes it.</summary>
/// <param name="Subject">The visitor, as the token names it.</param>
/// <param name="ExpiresAt">When the token ends.</param>
/// <param name="IsAnonymous">Nobody vouches for the visitor; the server made the subject up.</param>
internal sealed record VisitorSession(string Subject, DateTime ExpiresAt, bool IsAnonymous);

/// <summary>Checks and makes the session tokens of published chats: HS256 with the organisation's signing secret, so that its applications can make them too.</summary>
/// <remarks>
/// An application's token lives for at most a day. With it a visitor gets one of ours, which says so in a claim of its own and ends with it.
/// Visitors of a public chat get one without, which lasts longer: it proves nothing but that they came before, and opens no private chat.
/// </remarks>
internal sealed class VisitorSessions(SigningSecrets secrets, TimeProvider time)
{
    private const string Slug = "slug", Kind = "kind", OurKind = "flapjack-visitor", AnonymousKind = "flapjack-anonymous";
    private const int MaxLength = 4_000, MaxSubject = 500, ShortestKey = 32;
    private static readonly TimeSpan FromApplication = TimeSpan.FromHours(24), Anonymous = TimeSpan.FromDays(30), Skew = TimeSpan.FromSeconds(60);
    private static readonly JsonWebTokenHandler Handler = new() { SetDefaultTimesOnTokenCreation = false, MapInboundClaims = false };

    /// <summary>The session a token proves for this chat; null for any other token.</summary>
    public async Task<VisitorSession?> ReadAsync(Publication chat, string? token, CancellationToken cancellationToken)
    {
        if (token is not { Length: > 0 and <= MaxLength }) return null;
        var result = await Handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = [SecurityAlgorithms.HmacSha256],
            IssuerSigningKey = await KeyAsync(chat, cancellationToken),
            ValidateIssuer = false,
            ValidateAudience = false,
            LifetimeValidator = IsCurrent,
        });
        if (result is not { IsValid: true, SecurityToken: JsonWebToken jwt }) return null;
        return TextOf(jwt, "sub") is { Length: > 0 and <= MaxSubject } subject && TextOf(jwt, Slug) == chat.Slug ? new(subject, jwt.ValidTo, TextOf(jwt, Kind) == AnonymousKind) : null;
    }

    /// <summary>A token for whoever opened a thread: for the session they came with, else for a new visitor.</summary>
    public async Task<string> IssueAsync(Publication chat, VisitorSession? session, CancellationToken cancellationToken)
    {
        var now = time.Now();
        return Handler.CreateToken(new SecurityTokenDescriptor
        {
            IssuedAt = now,
            Expires = session?.ExpiresAt ?? now + Anonymous,
            SigningCredentials = new(await KeyAsync(chat, cancellationToken), SecurityAlgorithms.HmacSha256),
            Claims = new Dictionary<string, object> { ["sub"] = session?.Subject ?? Ids.New().ToString("N"), [Slug] = chat.Slug, [Kind] = session is { IsAnonymous: false } ? OurKind : AnonymousKind },
        });
    }

    /// <summary>Whom traces name: the session's subject, else a hash of the address that tells one visitor from another and nothing more.</summary>
    public async Task<string> NameAsync(Publication chat, VisitorSession? session, string address, CancellationToken cancellationToken)
    {
        var name = session is { Subject: { Length: <= 160 } subject } && !subject.Any(char.IsControl) ? subject
            : session is not null ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(session.Subject)).AsSpan(0, 16))
            : Convert.ToHexStringLower(HMACSHA256.HashData((await KeyAsync(chat, cancellationToken)).Key, Encoding.UTF8.GetBytes("visitor at " + address)).AsSpan(0, 8));
        return Caller.VisitorOf(chat.Slug, name);
    }

    private async Task<SymmetricSecurityKey> KeyAsync(Publication chat, CancellationToken cancellationToken)
    {
        var key = Encoding.UTF8.GetBytes((await secrets.ReadAsync(chat.OrgId, cancellationToken)).Secret);
        // Secrets may be shorter than the library takes. HMAC fills its key with zeros anyway, so the signature stays the one of the secret.
        if (key.Length < ShortestKey) Array.Resize(ref key, ShortestKey);
        return new(key);
    }

    private bool IsCurrent(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters)
    {
        var now = time.Now();
        var longest = token is JsonWebToken jwt && TextOf(jwt, Kind) == AnonymousKind ? Anonymous : FromApplication;
        return expires > now && expires <= now + longest + Skew && !(notBefore > now + Skew);
    }

    private static string? TextOf(JsonWebToken token, string claim) => token.TryGetPayloadValue<string>(claim, out var text) ? text : null;
}
