using System.Net.Sockets;
using Microsoft.Extensions.Primitives;

namespace Flapjack.Server.Platform.Egress;

/// <summary>HTTP to addresses that users, models and other servers give: one pool of connections, each checked when it is made. Answers are read whole, within limits.</summary>
/// <remarks>Redirects are followed by hand and every hop is checked like the first. Headers and bodies stay with the origin they were given for: another one is sent a plain GET, or nothing.</remarks>
internal sealed class OutboundHttp : IDisposable
{
    // What tells another origin nothing but how to answer.
    private static readonly HashSet<string> Harmless = new(StringComparer.OrdinalIgnoreCase) { "Accept", "Accept-Charset", "Accept-Language", "User-Agent" };
    private readonly HttpMessageInvoker _http;
    private readonly TimeProvider _time;

    public OutboundHttp(EgressGuard guard, TimeProvider time) : this(guard.NewHandler(), time) { }

    private OutboundHttp(HttpMessageHandler handler, TimeProvider time) => (_http, _time) = (new(handler), time);

    /// <summary>The same for addresses that the operator set or that are a vendor's own: the network rules do not apply to those.</summary>
    public static OutboundHttp Trusted(TimeProvider time) => new(new SocketsHttpHandler
    {
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    }, time);

    /// <summary>For clients that bring their own requests (MCP, OAuth). It follows no redirects and has no time limit of its own; disposing of it leaves the pool alone.</summary>
    public HttpMessageHandler Handler() => new Shared(_http);

    /// <summary>Sends a request and reads its answer. Whatever goes wrong is an <see cref="OutboundException"/>, except the caller's own cancellation.</summary>
    /// <param name="create">Makes the request for an address; called once per hop, so contents are never sent twice from one object.</param>
    /// <param name="address">Where the first goes.</param>
    /// <param name="limits">What is allowed.</param>
    /// <param name="cancellationToken">Of the caller.</param>
    public async Task<OutboundAnswer> SendAsync(Func<Uri, HttpRequestMessage> create, Uri address, OutboundLimits limits, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(limits.Timeout, _time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            var (origin, make) = (address, create);
            for (var hop = 0; ; hop++)
            {
                Check(address, hop);
                using var request = make(address);
                if (!IsSameOrigin(origin, address)) MakeHarmless(request);
                using var response = await _http.SendAsync(request, ending.Token);
                if (NextOf(response, request.Method, address, limits) is not { } next || limits.ReturnRedirects) return await ReadAsync(response, address, limits.MaxBytes, ending.Token);
                if (hop == limits.MaxRedirects) throw new OutboundException(OutboundFault.RedirectRefused, "it redirects too often");
                if (limits.SameOriginOnly && !IsSameOrigin(origin, next)) throw new OutboundException(OutboundFault.RedirectRefused, "it redirects to another host");
                if (limits.SeeOther is { } other && !KeepsMethod(response)) make = other;
                address = next;
            }
        }
        catch (HttpRequestException exception) when (exception.InnerException is EgressRefusedException refused)
        {
            throw new OutboundException(OutboundFault.Blocked, refused.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new OutboundException(OutboundFault.Timeout, $"no answer within {limits.Timeout.TotalSeconds:0.###} s");
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException or IOException)
        {
            throw new OutboundException(OutboundFault.Unreachable, "the address cannot be reached", exception);
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Equal scheme, host and port.</summary>
    public static bool IsSameOrigin(Uri one, Uri other) => one.Scheme == other.Scheme && one.Port == other.Port && string.Equals(one.IdnHost, other.IdnHost, StringComparison.OrdinalIgnoreCase);

    private static void Check(Uri address, int hop)
    {
        var fault = address.Scheme is not ("http" or "https") ? "is no http or https address" : address.UserInfo.Length > 0 ? "contains a user name or password" : null;
        if (fault is null) return;
        throw hop == 0 ? new OutboundException(OutboundFault.Blocked, $"the address {fault}") : new OutboundException(OutboundFault.RedirectRefused, $"it redirects to an address that {fault}");
    }

    private static void MakeHarmless(HttpRequestMessage request)
    {
        if (request.Content is not null) throw new OutboundException(OutboundFault.RedirectRefused, "it redirects a request with a body to another host");
        foreach (var name in request.Headers.Select(header => header.Key).Where(name => !Harmless.Contains(name)).ToList()) request.Headers.Remove(name);
    }

    // A 301, 302 or 303 turns a request with a body into another one; without SeeOther only GETs are repeated on those.
    private static Uri? NextOf(HttpResponseMessage response, HttpMethod method, Uri address, OutboundLimits limits) =>
        response.Headers.Location is { } location && (KeepsMethod(response) || (int)response.StatusCode is 301 or 302 or 303 && (method == HttpMethod.Get || limits.SeeOther is not null))
            ? Uri.TryCreate(address, location, out var next) ? next : throw new OutboundException(OutboundFault.RedirectRefused, "it redirects to something that is no address") : null;

    private static bool KeepsMethod(HttpResponseMessage response) => (int)response.StatusCode is 307 or 308;

    private static async Task<OutboundAnswer> ReadAsync(HttpResponseMessage response, Uri address, int maxBytes, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > maxBytes) throw TooLarge(maxBytes);
        await using var content = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await content.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (body.Length + read > maxBytes) throw TooLarge(maxBytes);
            body.Write(buffer, 0, read);
        }
        var headers = response.Headers.Concat(response.Content.Headers).ToDictionary(h => h.Key, h => new StringValues([.. h.Value]), StringComparer.OrdinalIgnoreCase);
        return new((int)response.StatusCode, address, headers, body.ToArray());
    }

    private static OutboundException TooLarge(int maxBytes) => new(OutboundFault.TooLarge, $"the answer has more than {maxBytes} bytes");

    private sealed class Shared(HttpMessageInvoker http) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => http.SendAsync(request, cancellationToken);
    }
}

/// <summary>What one request may take.</summary>
/// <param name="Timeout">For everything, redirects and reading included.</param>
/// <param name="MaxBytes">Of the answer, after nothing was unpacked: compressed answers are not asked for.</param>
internal sealed record OutboundLimits(TimeSpan Timeout, int MaxBytes)
{
    public int MaxRedirects { get; init; } = 3;

    /// <summary>Redirects are answers like others, for callers that have a say in where the next hop goes.</summary>
    public bool ReturnRedirects { get; init; }

    /// <summary>Refuses redirects to another scheme, host or port.</summary>
    public bool SameOriginOnly { get; init; }

    /// <summary>Makes the GET that follows a 301, 302 or 303 answer to a request with a body. Null: such an answer is taken as it is.</summary>
    public Func<Uri, HttpRequestMessage>? SeeOther { get; init; }
}

/// <summary>An answer, read whole.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Address">Where it came from after redirects.</param>
/// <param name="Headers">Names in any casing.</param>
/// <param name="Body">The bytes.</param>
internal sealed record OutboundAnswer(int Status, Uri Address, IReadOnlyDictionary<string, StringValues> Headers, byte[] Body)
{
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>As it was sent, with its character set; null when none was.</summary>
    public string? ContentType => Headers.TryGetValue("Content-Type", out var type) && type.ToString() is { Length: > 0 } sent ? sent : null;

    /// <summary>The media type without parameters, in lower case; null when none was sent.</summary>
    public string? MediaType => ContentType?.Split(';')[0].Trim().ToLowerInvariant() is { Length: > 0 } name ? name : null;
}

/// <summary>Why no answer came.</summary>
internal enum OutboundFault
{
    /// <summary>Not in time.</summary>
    Timeout,
    /// <summary>No connection, or it broke.</summary>
    Unreachable,
    /// <summary>The network rules forbid the address.</summary>
    Blocked,
    /// <summary>The answer is larger than allowed.</summary>
    TooLarge,
    /// <summary>A redirect leads where it must not.</summary>
    RedirectRefused,
}

/// <summary>A request that got no answer. The message is fit for users.</summary>
internal sealed class OutboundException(OutboundFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public OutboundFault Fault { get; } = fault;
}
