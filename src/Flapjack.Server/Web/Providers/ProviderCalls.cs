using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Egress;

namespace Flapjack.Server.Web.Providers;

/// <summary>Calls of web providers: JSON there and back. Addresses that an organisation set are dialled under the network rules, the vendors' own and the operator's are not.</summary>
internal sealed class ProviderCalls(OutboundHttp guarded, WebLimits limits, TimeProvider time) : IDisposable
{
    private readonly OutboundHttp _trusted = OutboundHttp.Trusted(time);

    public Task<JsonElement> GetAsync(ProviderCall call, CancellationToken cancellationToken) => SendAsync(call, HttpMethod.Get, null, cancellationToken);

    public Task<JsonElement> PostAsync(ProviderCall call, JsonObject body, CancellationToken cancellationToken) => SendAsync(call, HttpMethod.Post, body.ToJsonString(), cancellationToken);

    public void Dispose() => _trusted.Dispose();

    private async Task<JsonElement> SendAsync(ProviderCall call, HttpMethod method, string? body, CancellationToken cancellationToken)
    {
        var address = new Uri((call.Access.BaseUrl?.ToString() ?? call.Home).TrimEnd('/') + call.Path);
        var allowed = new OutboundLimits(call.Timeout ?? limits.ProviderTime, limits.ProviderBytes) { SameOriginOnly = true };
        try
        {
            var answer = await (call.Access.IsTrustedAddress ? _trusted : guarded).SendAsync(to => Request(call, method, to, body), address, allowed, cancellationToken);
            // The body is not repeated: some services quote the key they were given.
            if (!answer.IsSuccess) throw new ToolException($"TOOL_HTTP_{answer.Status}", $"{call.Access.Name} answered with status {answer.Status}{(answer.Status is 401 or 403 ? ": it does not accept the key that is set up" : "")}");
            using var document = JsonDocument.Parse(answer.Body);
            return document.RootElement.Clone();
        }
        catch (OutboundException fault)
        {
            throw OutboundFaults.ToToolException(fault, call.Access.Name);
        }
        catch (JsonException)
        {
            throw new ToolException(ToolErrors.Failed, $"{call.Access.Name} answered with something that is no JSON");
        }
    }

    private static HttpRequestMessage Request(ProviderCall call, HttpMethod method, Uri address, string? body)
    {
        var request = new HttpRequestMessage(method, address);
        request.Headers.TryAddWithoutValidation("User-Agent", WebLimits.UserAgent);
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        if (call.KeyHeader is { } header && call.Access.ApiKey is { } key) request.Headers.TryAddWithoutValidation(header, header == "Authorization" ? $"Bearer {key}" : key);
        foreach (var (name, value) in call.Access.Headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }
        if (body is not null) request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        return request;
    }
}

/// <summary>One call.</summary>
/// <param name="Access">How the organisation reaches the provider.</param>
/// <param name="Home">The vendor's own address, used when no other is set.</param>
/// <param name="Path">What follows the address, query included.</param>
/// <param name="KeyHeader">The header the key is sent in; null = none.</param>
internal sealed record ProviderCall(ProviderAccess Access, string Home, string Path, string? KeyHeader)
{
    public TimeSpan? Timeout { get; init; }
}
