using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Settings;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Flapjack.Server.Accounts.Credentials;

/// <summary>Issues and checks the JWTs of this server's own accounts: ES256 and nothing else.</summary>
internal sealed class AccessTokens(SigningKeys keys, ServerSettings settings, TimeProvider time)
{
    private const string Audience = "flapjack";
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);
    private static readonly JsonWebTokenHandler Handler = new() { SetDefaultTimesOnTokenCreation = false, MapInboundClaims = false };

    /// <summary>A token for one session.</summary>
    public async ValueTask<string> IssueAsync(User user, Guid sessionId, string issuer, CancellationToken cancellationToken)
    {
        var now = time.Now();
        var key = (await keys.AllAsync(cancellationToken))[0];
        return Handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = Audience,
            IssuedAt = now,
            Expires = now + settings.Auth.AccessLifetime,
            SigningCredentials = new(key, SecurityAlgorithms.EcdsaSha256),
            Claims = new Dictionary<string, object>
            {
                ["sub"] = user.Id.ToString(),
                ["sid"] = sessionId.ToString(),
                ["org"] = user.DefaultOrgId.ToString(),
                ["email"] = user.Email,
                ["name"] = user.Name ?? user.Email,
            },
        });
    }

    /// <summary>User and session of a valid token; null for any other.</summary>
    public async ValueTask<(Guid UserId, Guid SessionId)?> ReadAsync(string token, CancellationToken cancellationToken)
    {
        var result = await Handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
            IssuerSigningKeys = await keys.AllAsync(cancellationToken),
            ValidAudience = Audience,
            // Without a public address a token names the address it was asked for at, which may be one of several; the signature proves that it is ours.
            ValidateIssuer = settings.PublicUrl is not null,
            ValidIssuer = settings.PublicUrl?.ToString().TrimEnd('/'),
            LifetimeValidator = IsCurrent,
        });
        return result is { IsValid: true, SecurityToken: JsonWebToken jwt } && IdIn(jwt, "sub") is { } user && IdIn(jwt, "sid") is { } session ? (user, session) : null;
    }

    // A node whose clock is behind meets tokens from the future; the end needs no such grace, since the client refreshes.
    private bool IsCurrent(DateTime? notBefore, DateTime? expires, SecurityToken token, TokenValidationParameters parameters)
    {
        var now = time.Now();
        return expires > now && !(notBefore > now + Skew) && token is JsonWebToken jwt && jwt.IssuedAt <= now + Skew;
    }

    private static Guid? IdIn(JsonWebToken token, string claim) =>
        token.TryGetPayloadValue<string>(claim, out var text) && Guid.TryParseExact(text, "D", out var id) ? id : null;
}
