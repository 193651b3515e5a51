using System.Net;
using System.Net.Http.Headers;
using Flapjack.Server.Mcp.Authorization;
using Flapjack.Server.Platform.Egress;

namespace Flapjack.Server.Mcp.Connections;

/// <summary>The requests of one connection over HTTP: checked addresses, credentials for the server's own origin only, limits on what comes back.</summary>
internal sealed class McpHttpHandler(ServerAccess access, McpCredentials credentials, AccessTokens tokens, InboundBudget budget, HttpMessageHandler guarded) : DelegatingHandler(guarded)
{
    private const string SessionHeader = "Mcp-Session-Id";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // Over SSE the server itself says where messages go.
        if (!OutboundHttp.IsSameOrigin(access.Url!, request.RequestUri!)) throw new McpServerException(new(McpFault.Protocol, "the server sends its client to another host"));
        foreach (var (name, value) in credentials.Headers) request.Headers.TryAddWithoutValidation(name, value);
        var token = await AuthoriseAsync(request, null, cancellationToken);
        var response = await base.SendAsync(request, cancellationToken);
        if (response.StatusCode == HttpStatusCode.Unauthorized && token is not null)
        {
            // A token may end before its time: one more try with a fresh one. A refused request did nothing.
            response.Dispose();
            await AuthoriseAsync(request, token, cancellationToken);
            response = await base.SendAsync(request, cancellationToken);
        }
        Check(request, response);
        await BoundAsync(response, cancellationToken);
        return response;
    }

    private async ValueTask<string?> AuthoriseAsync(HttpRequestMessage request, string? refused, CancellationToken cancellationToken)
    {
        if (!access.UsesOAuth) return null;
        var token = await tokens.CurrentAsync(access, refused, cancellationToken);
        if (token is null || token == refused) throw new McpServerException(new(McpFault.Auth, "the server asks for authorisation"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return token;
    }

    private void Check(HttpRequestMessage request, HttpResponseMessage response)
    {
        var status = response.StatusCode;
        if ((int)status < 300 || status == HttpStatusCode.MethodNotAllowed) return;
        // A server that was started anew answers 404 for sessions it had before; some answer 400.
        if (request.Method == HttpMethod.Post && request.Headers.Contains(SessionHeader) && status is HttpStatusCode.NotFound or HttpStatusCode.BadRequest)
        {
            response.Dispose();
            throw new McpServerException(new(McpFault.Connect, "the server has ended the session")) { SessionIsGone = true };
        }
        if ((int)status is >= 300 and < 400)
        {
            var target = response.Headers.Location;
            response.Dispose();
            throw new McpServerException(new(McpFault.Protocol, $"the server redirects{(target is null ? "" : $" to {McpFault.Words(target.ToString())}")}; enter the address it redirects to"));
        }
        if (access.UsesOAuth && status == HttpStatusCode.Forbidden && ChallengeOf(response) is { IsScopeMissing: true, Scope: { } missing })
        {
            response.Dispose();
            throw new McpServerException(new(McpFault.Auth, $"the server asks for further rights: {McpFault.Words(missing)}") { MissingScope = missing });
        }
        if (status == HttpStatusCode.Unauthorized)
        {
            response.Dispose();
            throw new McpServerException(McpFault.OfStatus(status));
        }
    }

    private static BearerChallenge? ChallengeOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues("WWW-Authenticate", out var challenges) ? BearerChallenge.Parse(string.Join(", ", challenges)) : null;

    private async Task BoundAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var isEvents = response.Content.Headers.ContentType?.MediaType == "text/event-stream";
        var bounded = new StreamContent(new BoundedStream(await response.Content.ReadAsStreamAsync(cancellationToken), isEvents ? MessageEnd.EmptyLine : MessageEnd.Stream, budget));
        foreach (var (name, values) in response.Content.Headers) bounded.Headers.TryAddWithoutValidation(name, values);
        response.Content = bounded;
    }
}
