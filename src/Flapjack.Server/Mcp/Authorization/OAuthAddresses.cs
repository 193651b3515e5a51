using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Mcp.Authorization;

/// <summary>Where authorisation may happen: over https, unless the operator has listed the host.</summary>
internal sealed class OAuthAddresses(ServerSettings settings, EgressGuard guard)
{
    private readonly AllowedHosts _allowed = new(settings.AllowedHosts);

    public bool Allows(string address) => Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0 && _allowed.AllowsScheme(uri);

    /// <summary>What is wrong with an address that a user gave; null when it may be used.</summary>
    public async ValueTask<string?> RefusalAsync(string address, CancellationToken cancellationToken) =>
        await guard.RefusalAsync(address, cancellationToken) is { } refusal ? refusal
        : Allows(address) ? null : "must be https, without a fragment, unless its host is in Network:AllowedHosts";
}
