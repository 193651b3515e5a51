using System.Buffers;
using System.Text.Json;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Models;

/// <summary>Applies a request to a provider: what is absent stays, null clears. Faults are collected, so a row that is not saved may be half changed.</summary>
internal sealed class ProviderEditor(SecretBox secrets, EgressGuard guard)
{
    private const int MaxModels = 200, MaxHeaders = 32, MaxSecret = 8_192;
    private static readonly SearchValues<char> TokenChars = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    // These frame the request or steer the connection; the client writes them itself.
    private static readonly HashSet<string> Framing = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Connection", "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Upgrade", "TE", "Trailer", "Expect", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection",
    };

    public async Task ApplyAsync(ProviderConfig provider, ProviderRequest request, FieldErrors errors, CancellationToken cancellationToken)
    {
        Kind(provider, request, errors);
        ApiKey(provider, request, errors);
        Headers(provider, request, errors);
        Models(provider, request, errors);
        if (request.Enabled.IsSet) provider.Enabled = request.Enabled.Value ?? true;
        await BaseUrlAsync(provider, request, errors, cancellationToken);
    }

    private static void Kind(ProviderConfig provider, ProviderRequest request, FieldErrors errors)
    {
        if (!request.Kind.IsSet) return;
        var only = ProviderNames.FixedKind(provider.Provider);
        if (only is null) errors.OneOf("kind", request.Kind.Value, "openai_compatible", "anthropic_compatible");
        else errors.OneOf("kind", request.Kind.Value, only);
        provider.Kind = request.Kind.Value ?? DefaultKind(provider.Provider);
    }

    public static string DefaultKind(string provider) => ProviderNames.FixedKind(provider) ?? "openai_compatible";

    private void ApiKey(ProviderConfig provider, ProviderRequest request, FieldErrors errors)
    {
        if (!request.ApiKey.IsSet) return;
        var key = request.ApiKey.Value?.Trim();
        errors.Text("apiKey", key, MaxSecret, min: 1);
        if (key is not null && key.AsSpan().ContainsAnyExceptInRange('!', '~')) errors.Add("apiKey", "must be visible ASCII characters");
        provider.ApiKey = string.IsNullOrEmpty(key) ? null : secrets.Seal(key, ProviderConfig.Place(provider.OrgId, provider.Provider, ProviderConfig.ApiKeyField));
    }

    private async Task BaseUrlAsync(ProviderConfig provider, ProviderRequest request, FieldErrors errors, CancellationToken cancellationToken)
    {
        if (request.BaseUrl.IsSet) provider.BaseUrl = request.BaseUrl.Value?.Trim();
        if (provider.BaseUrl is not { } address)
        {
            if (provider.Kind.EndsWith("_compatible", StringComparison.Ordinal)) errors.Add("baseUrl", $"is required for kind {provider.Kind}");
            return;
        }
        if (!request.BaseUrl.IsSet) return;
        errors.Text("baseUrl", address, 2_000);
        if (await guard.RefusalAsync(address, cancellationToken) is { } refusal) errors.Add("baseUrl", refusal);
        else if (address.AsSpan().IndexOfAny('?', '#') >= 0) errors.Add("baseUrl", "must not contain a query or fragment");
    }

    private void Headers(ProviderConfig provider, ProviderRequest request, FieldErrors errors)
    {
        if (!request.Headers.IsSet) return;
        var headers = request.Headers.Value ?? [];
        if (headers.Count > MaxHeaders) errors.Add("headers", $"has more than {MaxHeaders} entries");
        foreach (var (name, value) in headers)
        {
            var field = $"headers.{name}";
            if (name.Length is 0 or > 100 || name.AsSpan().ContainsAnyExcept(TokenChars)) errors.Add(field, "is not a header name");
            else if (Framing.Contains(name)) errors.Add(field, "cannot be set");
            if (value is null || value.Length > MaxSecret || value.AsSpan().ContainsAnyExceptInRange(' ', '~')) errors.Add(field, $"must be at most {MaxSecret} printable ASCII characters");
        }
        if (headers.Keys.Distinct(StringComparer.OrdinalIgnoreCase).Count() != headers.Count) errors.Add("headers", "names one header twice");
        provider.Headers = headers.Count == 0 ? null : secrets.Seal(JsonSerializer.Serialize(headers), ProviderConfig.Place(provider.OrgId, provider.Provider, ProviderConfig.HeadersField));
    }

    private static void Models(ProviderConfig provider, ProviderRequest request, FieldErrors errors)
    {
        if (!request.Models.IsSet) return;
        var models = request.Models.Value ?? [];
        if (models.Count > MaxModels) errors.Add("models", $"has more than {MaxModels} entries");
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var entries = new List<ModelEntry>(models.Count);
        for (var i = 0; i < Math.Min(models.Count, MaxModels); i++)
        {
            if (models[i] is not { } model) errors.Add($"models[{i}]", "must be an object");
            else entries.Add(Entry($"models[{i}]", model, ids, errors));
        }
        provider.Models = ModelEntry.Write(entries);
    }

    private static ModelEntry Entry(string path, ProviderModelRequest model, HashSet<string> ids, FieldErrors errors)
    {
        const double mostTokens = 1_000_000_000, mostPrice = 1_000_000;
        errors.Required($"{path}.id", model.Id, 200);
        if (model.Id is { } id && !ids.Add(id)) errors.Add($"{path}.id", "is listed twice");
        errors.Text($"{path}.displayName", model.DisplayName, 200, min: 1);
        errors.Range($"{path}.contextWindow", model.ContextWindow, 1, mostTokens);
        errors.Range($"{path}.maxOutputTokens", model.MaxOutputTokens, 1, mostTokens);
        errors.Range($"{path}.inputUsdPerMtok", (double?)model.InputUsdPerMtok, 0, mostPrice);
        errors.Range($"{path}.outputUsdPerMtok", (double?)model.OutputUsdPerMtok, 0, mostPrice);
        errors.Range($"{path}.cacheReadMultiplier", (double?)model.CacheReadMultiplier, 0, 100);
        errors.Range($"{path}.cacheWriteMultiplier", (double?)model.CacheWriteMultiplier, 0, 100);
        return new()
        {
            Id = model.Id ?? "",
            DisplayName = model.DisplayName,
            ContextWindow = model.ContextWindow,
            MaxOutputTokens = model.MaxOutputTokens,
            InputUsdPerMtok = model.InputUsdPerMtok,
            OutputUsdPerMtok = model.OutputUsdPerMtok,
            CacheReadMultiplier = model.CacheReadMultiplier,
            CacheWriteMultiplier = model.CacheWriteMultiplier,
            Supports = Supports(model.Supports),
        };
    }

    private static Dictionary<string, bool> Supports(ProviderModelSupport? given)
    {
        var supports = new Dictionary<string, bool>();
        void Keep(string name, bool? value)
        {
            if (value is { } flag) supports[name] = flag;
        }
        Keep("tools", given?.Tools);
        Keep("vision", given?.Vision);
        Keep("files", given?.Files);
        Keep("json_schema", given?.JsonSchema);
        Keep("temperature", given?.Temperature);
        Keep("thinking", given?.Thinking);
        Keep("native_compaction", given?.NativeCompaction);
        return supports;
    }
}
