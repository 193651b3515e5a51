using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flapjack.Server.Accounts;

internal static class SigningSecretEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var secrets = app.MapGroup("/api/orgs/{orgId:guid}/signing-secret").WithTags("accounts").From("ext").UsersOnly(Role.Admin);
        secrets.MapGet("", Get).WithName("getSigningSecret");
        secrets.MapPost("/rotate", Rotate).WithName("rotateSigningSecret");
    }

    /// <summary>Tells which secret signs webhooks of the organisation, without showing it.</summary>
    private static async Task<Ok<SigningSecretResponse>> Get(Guid orgId, SigningSecrets secrets, CancellationToken cancellationToken)
    {
        var secret = await secrets.ReadAsync(orgId, cancellationToken);
        return TypedResults.Ok(new SigningSecretResponse { Source = secret.IsOwn ? "org" : "server", Prefix = secret.Prefix, RotatedAt = secret.RotatedAt });
    }

    /// <summary>Replaces the organisation's signing secret and shows the new one, this once.</summary>
    private static async Task<Ok<NewSigningSecretResponse>> Rotate(Guid orgId, JsonBody<SigningSecretRequest> body, SigningSecrets secrets, CancellationToken cancellationToken)
    {
        if (body.Value.Secret.Value is { Length: < 24 or > 200 }) throw ApiException.Invalid("secret", "must have 24 to 200 characters");
        var secret = await secrets.RotateAsync(orgId, body.Value.Secret.Value, cancellationToken);
        return TypedResults.Ok(new NewSigningSecretResponse { Secret = secret.Secret, RotatedAt = secret.RotatedAt!.Value });
    }
}

/// <summary>Replaces a signing secret.</summary>
public sealed record SigningSecretRequest
{
    /// <summary>Own value of 24 to 200 characters; absent or null = a random one.</summary>
    public Optional<string> Secret { get; init; }
}

/// <summary>A signing secret without its value.</summary>
public sealed record SigningSecretResponse
{
    /// <summary>Always true: without a secret of the organisation the server's own signs.</summary>
    public bool HasSecret { get; init; } = true;
    /// <summary><c>org</c> = its own, <c>server</c> = the server's.</summary>
    public required string Source { get; init; }
    /// <summary>The first characters, at most nine.</summary>
    public required string Prefix { get; init; }
    /// <summary>Time of the last rotation; null = never.</summary>
    public required DateTime? RotatedAt { get; init; }
}

/// <summary>A new signing secret. This answer is the only one that holds it.</summary>
public sealed record NewSigningSecretResponse
{
    /// <summary>The secret. Store it where signatures are checked.</summary>
    public required string Secret { get; init; }
    /// <summary>When it began to sign.</summary>
    public required DateTime RotatedAt { get; init; }
}
