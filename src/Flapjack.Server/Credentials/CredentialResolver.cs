using Flapjack.Runtime.Models;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Models;

namespace Flapjack.Server.Credentials;

/// <summary>Brings users' own keys of model providers. A key is used for one request; where the agent's config says so, it is remembered in memory. It is never written down.</summary>
internal sealed class CredentialResolver(AgentConfigs configs, ResolverCall call, RememberedKeys remembered) : IAgentKeys
{
    /// <summary>The keys of a turn; null when its agent has never been given anything, a resolver included.</summary>
    public IModelKeys? For(EquipmentRequest request) => request is { AgentId: not null, Version: > 0 } ? new Keys(this, request) : null;

    private async ValueTask<ModelKey?> FindAsync(EquipmentRequest request, ModelChoice choice, CancellationToken cancellationToken)
    {
        var config = await configs.ForTurnAsync<CredentialsConfig>(request, cancellationToken);
        if (config is not { Enabled: true, ResolverUrl: not null }) return null;
        if (config.CacheSeconds > 0 && remembered.Find(request, choice) is { } known) return known;
        if (await call.AskAsync(config, request, choice, cancellationToken) is { } key)
        {
            if (config.CacheSeconds > 0) remembered.Keep(request, choice, key, TimeSpan.FromSeconds(config.CacheSeconds));
            return key;
        }
        return config.OnFailure == CredentialsConfig.Fail ? throw new ModelException(ModelErrors.AuthFailed, "The credential resolver gave no key for this request.") : new(null, ModelKey.Platform);
    }

    private void Forget(EquipmentRequest request, ModelChoice choice) => remembered.Forget(request, choice);

    private sealed class Keys(CredentialResolver resolver, EquipmentRequest request) : IModelKeys
    {
        public ValueTask<ModelKey?> FindAsync(ModelChoice choice, CancellationToken cancellationToken) => resolver.FindAsync(request, choice, cancellationToken);

        public void Refused(ModelChoice choice) => resolver.Forget(request, choice);
    }
}
