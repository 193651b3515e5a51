using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Channels.Outbound;

/// <summary>Requests to providers at the operator's addresses. Answers are read whole, within limits.</summary>
internal sealed class ProviderCalls(OutboundHttp guarded, TimeProvider time) : IDisposable
{
    /// <summary>Largest image or file that is fetched; that of a file in a message.</summary>
    public const int MaxMedia = 20 * 1024 * 1024;

    private static readonly OutboundLimits Limits = new(TimeSpan.FromSeconds(10), 1024 * 1024) { MaxRedirects = 0 };
    private static readonly OutboundLimits MediaLimits = new(TimeSpan.FromSeconds(60), MaxMedia);
    private readonly OutboundHttp _trusted = OutboundHttp.Trusted(time);

    /// <summary>Sends a request; a body makes it a POST.</summary>
    /// <exception cref="ChannelException">There is no answer.</exception>
    public async Task<OutboundAnswer> SendAsync(Uri address, string? bearer, object? body, CancellationToken cancellationToken)
    {
        try
        {
            return await _trusted.SendAsync(uri => RequestOf(uri, bearer, body), address, Limits, cancellationToken);
        }
        catch (OutboundException fault)
        {
            throw ChannelException.Of(fault);
        }
    }

    /// <summary>Reads a file. One that lies elsewhere than the provider itself is under the network rules.</summary>
    public async Task<byte[]> ReadAsync(Uri address, Uri provider, string? bearer, CancellationToken cancellationToken)
    {
        try
        {
            var http = OutboundHttp.IsSameOrigin(address, provider) ? _trusted : guarded;
            var answer = await http.SendAsync(uri => RequestOf(uri, bearer, null), address, MediaLimits, cancellationToken);
            return answer.IsSuccess ? answer.Body : throw ChannelException.Of(answer, null);
        }
        catch (OutboundException fault)
        {
            throw ChannelException.Of(fault);
        }
    }

    /// <summary>An answer as a JSON object; an empty one when it is none.</summary>
    public static JsonElement JsonOf(OutboundAnswer answer)
    {
        try
        {
            var json = JsonElement.Parse(answer.Body);
            if (json.ValueKind == JsonValueKind.Object) return json;
        }
        catch (JsonException)
        {
            // Such as the page of a proxy.
        }
        return JsonElement.Parse("{}"u8);
    }

    /// <summary>The address of something below another.</summary>
    public static Uri Below(Uri address, string path) => new($"{address.ToString().TrimEnd('/')}/{path}");

    public void Dispose() => _trusted.Dispose();

    private static HttpRequestMessage RequestOf(Uri address, string? bearer, object? body)
    {
        var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, address);
        if (bearer is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        if (body is not null) request.Content = new StringContent(JsonSerializer.Serialize(body, WireJson.Responses), Encoding.UTF8, "application/json");
        return request;
    }
}
