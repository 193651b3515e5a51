using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Turns;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.PublicChat;

internal static class PublicChatEndpoints
{
    /// <summary>Text of 400,000 characters, however it is escaped.</summary>
    private const long TextLimit = 3 * 1024 * 1024;

    public static void Map(IEndpointRouteBuilder app)
    {
        var chat = app.MapGroup("/api/public/chat/{slug}").WithTags("public chat").Public().IdempotentForStrangers();
        chat.MapGet("", Show).WithName("getPublicChat").From("doc");
        chat.MapPost("/threads", Open).WithName("createPublicThread").From("doc").KeyedByAddress();
        chat.MapGet("/threads/{threadId:guid}/messages", List).WithName("listPublicMessages").From("ext");
        chat.MapPost("/threads/{threadId:guid}/messages", Send).WithName("sendPublicMessage").From("doc").AnswersWithTurn(PublicChatReplay.Protocol).AdmitsStrangers(AdmitAsync)
            .WithMetadata(new BodyLimit(BodyLimit.Messages)).Accepts<PublicMessageRequest>("application/json", "*/*").Produces(200, contentType: "text/event-stream");
        chat.MapPost("/threads/{threadId:guid}/stop", Stop).WithName("stopPublicThread").From("doc");
    }

    /// <summary>Tells what the page of a published chat shows.</summary>
    private static async Task<Ok<PublicChatResponse>> Show(string slug, HttpContext http, ChatDoor door, CancellationToken cancellationToken) =>
        TypedResults.Ok(PublicChatResponse.From(await AnsweredAsync(http, () => door.FindAsync(slug, VisitorOf(http), cancellationToken))));

    /// <summary>Opens a thread. Who sends a session opens it for that visitor alone.</summary>
    private static async Task<Ok<PublicThreadResponse>> Open(string slug, JsonBody<PublicThreadRequest> body, HttpContext http, ChatDoor door, VisitorSessions sessions, VisitorLimits limits, ThreadOpening threads, CallerContext access, CancellationToken cancellationToken)
    {
        var visit = await EnterAsync(slug, http, door, cancellationToken);
        limits.CountThread(http);
        await door.AdmitAsync(visit, limits.AddressOf(http), cancellationToken);
        var errors = new FieldErrors();
        errors.Text("title", body.Value.Title.Value, 300);
        errors.ThrowIfAny();
        var draft = new ThreadDraft(body.Value.Title.Value, ThreadKinds.Single, null, null, "[]", access.UserId, "{}") { PublicationId = visit.Publication.Id, Visitor = visit.Session?.Subject };
        var thread = await threads.OpenAsync(draft, visit.Publication.AgentId, access, cancellationToken) ?? throw ApiException.NotFound("Chat");
        return TypedResults.Ok(new PublicThreadResponse(thread.Id, thread.Title, thread.CreatedAt, await sessions.IssueAsync(visit.Publication, visit.Session, cancellationToken)));
    }

    /// <summary>Lists a thread's messages, oldest first.</summary>
    private static async Task<Ok<PublicMessagePage>> List(string slug, Guid threadId, HttpContext http, ChatDoor door, FlapjackDb db, CancellationToken cancellationToken)
    {
        var query = new Query(http.Request);
        var (limit, offset) = (query.Integer("limit", 100, 1, 200), query.Integer("offset", 0, 0, int.MaxValue));
        var newestFirst = query.OneOf("order", "asc", "asc", "desc") == "desc";
        var visit = await EnterAsync(slug, http, door, cancellationToken);
        await door.FindThreadAsync(visit, threadId, cancellationToken);
        var rows = db.Messages.AsNoTracking().Where(m => m.ThreadId == threadId && (m.Role == MessageRoles.User || m.Role == MessageRoles.Assistant));
        var total = await rows.LongCountAsync(cancellationToken);
        rows = newestFirst ? rows.OrderByDescending(m => m.Seq) : rows.OrderBy(m => m.Seq);
        var page = await rows.Skip(offset).Take(limit).ToListAsync(cancellationToken);
        return TypedResults.Ok(new PublicMessagePage(page.ConvertAll(m => PublicMessage.From(m, visit.Publication.AllowAttachments)), total));
    }

    /// <summary>Sends a message and streams the answer. Repeated under the same <c>Idempotency-Key</c> it streams the same answer again.</summary>
    private static async Task Send(string slug, Guid threadId, HttpContext http, ClientConnection client, ChatDoor door, VisitorLimits limits, GuestTurns turns)
    {
        if (http.Features.Get<ChatVisit>() is not { } visit) visit = await AdmitAsync(slug, threadId, http, door, limits);
        limits.CountChatMessage(http, slug);
        // Read only now: strangers without a thread have nothing to say.
        var body = await RequestBytes.ReadAsync(http.Request, LimitOf(visit), client.Left);
        var request = body.Length == 0 ? new() : RequestBytes.Parse<PublicMessageRequest>(body.Span);
        using var opened = await turns.ContinueAsync(threadId, null, "agent", request.ToDraft(visit.Publication.AllowAttachments), client);
        await client.SendAsync(new TranslatedEvents(opened.Live, new PublicEvents(opened.Live, visit.Publication.ExposeToolDetails)));
    }

    /// <summary>Stops the running turn. Also fine when nothing runs.</summary>
    private static async Task<Ok<Deleted>> Stop(string slug, Guid threadId, HttpContext http, ChatDoor door, TurnStops stops, CancellationToken cancellationToken)
    {
        var visit = await EnterAsync(slug, http, door, cancellationToken);
        await stops.StopAsync(await door.FindThreadAsync(visit, threadId, cancellationToken), cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    // With an Idempotency-Key this comes before the key is looked at.
    private static async Task<long> AdmitAsync(HttpContext http)
    {
        var services = http.RequestServices;
        var (slug, threadId) = ((string)http.Request.RouteValues["slug"]!, Guid.Parse((string)http.Request.RouteValues["threadId"]!));
        var visit = await AdmitAsync(slug, threadId, http, services.GetRequiredService<ChatDoor>(), services.GetRequiredService<VisitorLimits>());
        http.Features.Set(visit);
        return LimitOf(visit);
    }

    private static async Task<ChatVisit> AdmitAsync(string slug, Guid threadId, HttpContext http, ChatDoor door, VisitorLimits limits)
    {
        limits.CountMessage(http);
        var visit = await EnterAsync(slug, http, door, http.RequestAborted);
        await door.FindThreadAsync(visit, threadId, http.RequestAborted);
        return visit;
    }

    private static long LimitOf(ChatVisit visit) => visit.Publication.AllowAttachments ? BodyLimit.Messages : TextLimit;

    private static Task<ChatVisit> EnterAsync(string slug, HttpContext http, ChatDoor door, CancellationToken cancellationToken) =>
        AnsweredAsync(http, () => door.EnterAsync(slug, VisitorOf(http), cancellationToken));

    // A page that may not use the chat may not read why either.
    private static async Task<T> AnsweredAsync<T>(HttpContext http, Func<Task<T>> enter)
    {
        try
        {
            return await enter();
        }
        catch (ApiException refused) when (refused.Status == 403)
        {
            http.Response.Headers.Remove("Access-Control-Allow-Origin");
            throw;
        }
    }

    private static Visitor VisitorOf(HttpContext http) => new(http.Request.Host.Value, http.Request.Headers.Origin, http.Request.Headers[Visitor.SessionHeader]);
}
