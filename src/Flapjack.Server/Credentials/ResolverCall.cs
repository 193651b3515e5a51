using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Flapjack.Server.Accounts;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Secrets;

namespace Flapjack.Server.Credentials;

/// <summary>The question to an application for its user's key, signed like a tool call.</summary>
internal sealed partial class ResolverCall(SigningSecrets signing, SecretBox box, OutboundHttp http, TimeProvider time, ILogger<ResolverCall> logger)
{
    private const int MaxBytes = 64 * 1024, LongestKey = 8_192;

    /// <summary>The key; null when the application has none for this user, and when it gave no answer that can be used.</summary>
    public async Task<ModelKey?> AskAsync(CredentialsConfig config, EquipmentRequest request, ModelChoice choice, CancellationToken cancellationToken)
    {
        var agentId = request.AgentId!.Value;
        try
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(new { userId = request.UserId, orgId = request.OrgId, provider = choice.Provider, model = choice.Id });
            var secret = config.Secret is null ? await signing.ForRequestAsync(request.OrgId, cancellationToken) : box.Open(config.Secret, CredentialsConfig.Place(request.OrgId, agentId));
            var limits = new OutboundLimits(TimeSpan.FromMilliseconds(config.TimeoutMs), MaxBytes) { SameOriginOnly = true };
            var answer = await http.SendAsync(address => Create(address, body, secret), new(config.ResolverUrl!), limits, cancellationToken);
            if (answer.Status == 200) return KeyIn(answer.Body);
            LogStatus(logger, agentId, answer.Status);
        }
        catch (Exception fault) when (fault is OutboundException or CryptographicException)
        {
            LogFailed(logger, agentId, fault.Message);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // What is wrong with an answer may quote it, and it may hold a key.
            LogFailed(logger, agentId, "its answer is not the JSON that is expected");
        }
        return null;
    }

    private HttpRequestMessage Create(Uri address, byte[] body, string secret)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } } };
        RequestSignature.AddTo(request, secret, body, time.GetUtcNow());
        return request;
    }

    private static ModelKey? KeyIn(byte[] body)
    {
        using var json = JsonDocument.Parse(body);
        var root = json.RootElement;
        if (root.ValueKind != JsonValueKind.Object) throw new JsonException();
        if (!root.TryGetProperty("apiKey", out var key) || key.ValueKind == JsonValueKind.Null) return null;
        // It goes into a header, which takes visible ASCII only.
        if (key.ValueKind != JsonValueKind.String || key.GetString() is not { Length: > 0 and <= LongestKey } text || text.AsSpan().ContainsAnyExceptInRange('!', '~')) throw new JsonException();
        var isPlatforms = root.TryGetProperty("source", out var source) && source.ValueKind == JsonValueKind.String && source.ValueEquals(ModelKey.Platform);
        return new(text, isPlatforms ? ModelKey.Platform : ModelKey.Byok);
    }

    [LoggerMessage(1, LogLevel.Warning, "The credential resolver of agent {AgentId} gave no key: {Reason}")]
    private static partial void LogFailed(ILogger logger, Guid agentId, string reason);

    [LoggerMessage(2, LogLevel.Warning, "The credential resolver of agent {AgentId} answered with status {Status}")]
    private static partial void LogStatus(ILogger logger, Guid agentId, int status);
}
