using System.Text.Json;
using Flapjack.Server.Agents;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.JsonRpc;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.McpServer;

/// <summary>Streamable HTTP: the client posts a message and gets its answer; a stream where the answer takes time.</summary>
internal static class McpEndpoints
{
    private const string VersionHeader = "MCP-Protocol-Version";
    private const long BodyBytes = 4 * 1024 * 1024;

    public static void Map(IEndpointRouteBuilder app)
    {
        MapAt(app, "/mcp", "");
        MapAt(app, "/mcp/agents/{agentId:guid}", "Agent");
    }

    private static void MapAt(IEndpointRouteBuilder app, string path, string suffix)
    {
        var mcp = app.MapGroup(path).WithTags("mcp").From("ext");
        mcp.MapPost("", Post).WithName($"postMcp{suffix}Message").Access(Scopes.McpWrite, Role.Member).AnswersWithTurn("mcp").WithMetadata(new BodyLimit(BodyBytes)).Accepts<JsonRpcMessage>("application/json", "*/*").Produces(200, contentType: "text/event-stream").Produces(202);
        mcp.MapGet("", Listen).WithName($"listenTo{suffix}Mcp").Access(Scopes.McpWrite).Produces(200, contentType: "text/event-stream");
        mcp.MapDelete("", End).WithName($"endMcp{suffix}Session").Access(Scopes.McpWrite, Role.Member);
    }

    /// <summary>Takes a message of an MCP client. Requests are answered, as JSON or as a stream that ends with the answer; notifications get 202.</summary>
    private static async Task Post(Guid? agentId, HttpContext http, ClientConnection client, McpSessions sessions, McpMethods methods, McpAnswers answers, FlapjackDb db, ServerSettings settings)
    {
        Check(http.Request, settings);
        if (agentId is { } agent) await db.Agents.FindAliveAsync(agent, client.Left);
        var accepts = Accepted.By(http.Request.Headers.Accept);
        JsonElement? known = null;
        try
        {
            var body = JsonRpcCall.ParseBody(await RequestBytes.ReadAsync(http.Request, BodyBytes, client.Left));
            if (body.ValueKind == JsonValueKind.Array) throw new JsonRpcException(JsonRpcErrors.InvalidRequest, "batches are not supported");
            var call = JsonRpcCall.Parse(body);
            known = call.Id;
            if (call is { Method: "initialize", IsNotification: false })
            {
                var begun = await sessions.BeginAsync(agentId, client.Left);
                client.SetHeader(McpSessions.Header, begun.Id.ToString());
                await client.SendJsonAsync(json => JsonRpcText.WriteResult(json, call.Id!.Value, McpMethods.Initialize(call.Params, agentId)));
                return;
            }
            var session = await FindAsync(http.Request, agentId, sessions, client.Left);
            if (call.IsNotification)
            {
                answers.Take(call, session);
                http.Response.StatusCode = 202;
                return;
            }
            await answers.AnswerAsync(new(call, session, client), accepts);
        }
        catch (JsonRpcException fault)
        {
            if (fault.Code is JsonRpcErrors.ParseError or JsonRpcErrors.InvalidRequest) http.Response.StatusCode = 400;
            await client.SendJsonAsync(json => JsonRpcText.WriteError(json, fault.Id ?? known, fault));
        }
    }

    /// <summary>Keeps a stream open for messages of the server.</summary>
    private static async Task Listen(Guid? agentId, HttpRequest request, ClientConnection client, McpSessions sessions, McpListeners listeners, CallerContext access, ServerSettings settings)
    {
        Check(request, settings);
        if (!Accepted.By(request.Headers.Accept).Stream) throw NotAcceptable("accept text/event-stream");
        var session = await FindAsync(request, agentId, sessions, client.Left);
        await listeners.ListenAsync(session.Id, client, access.Credential);
    }

    /// <summary>Ends a session.</summary>
    private static async Task<Microsoft.AspNetCore.Http.HttpResults.Ok<Deleted>> End(Guid? agentId, HttpRequest request, McpSessions sessions, ServerSettings settings, CancellationToken cancellationToken)
    {
        Check(request, settings);
        await sessions.EndAsync(await FindAsync(request, agentId, sessions, cancellationToken), cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    // A page of another site must not reach a server on the reader's own machine or network through their browser.
    private static void Check(HttpRequest request, ServerSettings settings)
    {
        var origin = request.Headers.Origin.ToString();
        if (origin.Length > 0 && !settings.CorsOrigins.Any(allowed => allowed == "*" || string.Equals(allowed.TrimEnd('/'), origin, StringComparison.OrdinalIgnoreCase)) && !IsOwn(origin, request, settings))
            throw ApiException.Forbidden("pages of this origin may not call the server; see Cors:Origins");
        var version = request.Headers[VersionHeader].ToString();
        if (version.Length > 0 && !McpMethods.Versions.Contains(version)) throw ApiException.BadRequest($"{VersionHeader}: this server speaks {string.Join(", ", McpMethods.Versions)}");
    }

    // A name in Host proves nothing, since a page's owner can point their name at this machine; an address, or the name of the machine itself, does.
    private static bool IsOwn(string origin, HttpRequest request, ServerSettings settings)
    {
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var uri)) return false;
        if (settings.PublicUrl is { } own) return uri.Authority == own.Authority && uri.Scheme == own.Scheme;
        return (uri.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6 || uri.Host == "localhost") && string.Equals(uri.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<McpSession> FindAsync(HttpRequest request, Guid? agentId, McpSessions sessions, CancellationToken cancellationToken)
    {
        var id = request.Headers[McpSessions.Header].ToString();
        if (id.Length == 0) throw ApiException.BadRequest($"{McpSessions.Header}: is required; the answer to initialize names it");
        return await sessions.FindAsync(id, agentId, cancellationToken) ?? throw ApiException.NotFound("Session");
    }

    private static ApiException NotAcceptable(string detail) => new(406, "NOT_ACCEPTABLE", detail);
}

/// <summary>The kinds of answers a client takes.</summary>
internal readonly record struct Accepted(bool Json, bool Stream)
{
    /// <summary>A client that says nothing takes everything, as HTTP has it.</summary>
    public static Accepted By(string? header)
    {
        if (string.IsNullOrWhiteSpace(header)) return new(true, true);
        var all = header.Contains("*/*", StringComparison.Ordinal);
        var accepted = new Accepted(all || header.Contains("application/", StringComparison.OrdinalIgnoreCase), all || header.Contains("text/", StringComparison.OrdinalIgnoreCase));
        return accepted is { Json: false, Stream: false } ? throw new ApiException(406, "NOT_ACCEPTABLE", "accept application/json and text/event-stream") : accepted;
    }
}
