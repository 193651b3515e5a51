using System.Net.Http.Headers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Accounts;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;
using Microsoft.Extensions.AI;

namespace Flapjack.Server.Tools;

/// <summary>Calls an application's endpoint to run a tool: the bare arguments as body, signed, with the call's context in headers.</summary>
/// <remarks>Whatever the endpoint does, the outcome is a value or a coded error. A repeat carries the same <c>Idempotency-Key</c> and is made only where the first cannot have been carried out, or was refused by a gateway.</remarks>
internal sealed class WebhookCall(OutboundHttp http, SigningSecrets secrets, TimeProvider time)
{
    private const int MaxBytes = 1 << 20;
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(250);
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Runs a call of a turn: emits what the endpoint wants shown and returns its result. Errors are <see cref="ToolException"/>s.</summary>
    /// <param name="target">Where to.</param>
    /// <param name="tool">Name of the tool, which an endpoint of several goes by.</param>
    /// <param name="arguments">As the turn hands them to a function.</param>
    /// <param name="cancellationToken">Of the turn.</param>
    public async Task<object?> RunAsync(WebhookTarget target, string tool, AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        var context = ToolContext.Of(arguments);
        var reply = await SendAsync(target, tool, WebhookOrigin.Of(context), Body(arguments), cancellationToken);
        foreach (var (kind, payload) in reply.Custom) context.EmitCustom(kind, payload);
        if (reply.Challenge is { } challenge) context.Challenge(challenge);
        return reply.Error is null ? reply.Returned : throw new ToolException(reply.Error, reply.Detail);
    }

    /// <summary>Sends a call and reads the reply. Throws only when it is cancelled.</summary>
    public async Task<WebhookReply> SendAsync(WebhookTarget target, string tool, WebhookOrigin origin, byte[] body, CancellationToken cancellationToken)
    {
        var secret = target.Secret ?? await secrets.ForRequestAsync(origin.OrgId, cancellationToken);
        var started = time.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            var left = attempt == 0 ? target.Timeout : target.Timeout - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero) return WebhookReply.Failed(ToolErrors.Timeout, $"no answer within {target.Timeout.TotalSeconds:0.###} s");
            var limits = new OutboundLimits(left, MaxBytes) { SameOriginOnly = true, SeeOther = address => Create(HttpMethod.Get, address, []) };
            var (reply, mayRepeat) = await TryAsync(address => Create(HttpMethod.Post, address, body), target, limits, cancellationToken);
            var wait = FirstWait * (1 << attempt);
            if (!mayRepeat || attempt >= target.Retries || time.GetElapsedTime(started) + wait >= target.Timeout) return reply;
            await Task.Delay(wait, time, cancellationToken);
        }

        HttpRequestMessage Create(HttpMethod method, Uri address, byte[] content)
        {
            var request = new HttpRequestMessage(method, address);
            foreach (var (name, value) in target.Headers) request.Headers.TryAddWithoutValidation(name, value);
            if (!request.Headers.Contains("User-Agent")) request.Headers.TryAddWithoutValidation("User-Agent", $"flapjack/{RequestIds.Version}");
            origin.AddTo(request.Headers, tool);
            RequestSignature.AddTo(request, secret, content, time.GetUtcNow());
            if (method == HttpMethod.Post) request.Content = new ByteArrayContent(content) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            return request;
        }
    }

    /// <summary>The arguments as the body they make.</summary>
    public static byte[] Body(IEnumerable<KeyValuePair<string, object?>> arguments)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Plain))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in arguments)
            {
                writer.WritePropertyName(name);
                if (value is JsonElement json) json.WriteTo(writer);
                else JsonSerializer.Serialize(writer, value);
            }
            writer.WriteEndObject();
        }
        return buffer.ToArray();
    }

    private async Task<(WebhookReply Reply, bool MayRepeat)> TryAsync(Func<Uri, HttpRequestMessage> create, WebhookTarget target, OutboundLimits limits, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await http.SendAsync(create, target.Address, limits, cancellationToken);
            return (WebhookReply.Of(answer), answer.Status is 502 or 503 or 504);
        }
        catch (OutboundException fault)
        {
            return (WebhookReply.Failed(fault), WasNeverSent(fault));
        }
    }

    // A connection that broke later may have carried the call out.
    private static bool WasNeverSent(OutboundException fault) =>
        fault.InnerException is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError };
}
