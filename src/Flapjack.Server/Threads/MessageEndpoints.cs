using Flapjack.Server.Knowledge.Turns;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads;

internal static class MessageEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var thread = app.MapGroup("/api/threads/{threadId:guid}").WithTags("messages");
        thread.MapGet("/messages", List).WithName("listMessages").From("doc").Access(Scopes.ThreadsRead).Demo(DemoWorld.Messages);
        thread.MapPost("/messages", Post).WithName("sendMessage").From("doc").Access(Scopes.ThreadsWrite, Role.Member).Demo(DemoWorld.SendMessage).AnswersWithTurn().WithMetadata(new BodyLimit(BodyLimit.Messages)).Produces(200, contentType: "text/event-stream");
        thread.MapPost("/stop", Stop).WithName("stopThread").From("doc").Access(Scopes.ThreadsWrite, Role.Member).Demo(DemoWorld.Stop);
        thread.MapGet("/stream", Attach).WithName("attachStream").From("ext").Access(Scopes.ThreadsRead).Produces(200, contentType: "text/event-stream").Produces(204);
        thread.MapGet("/messages/{messageId:guid}/sources", Sources).WithName("listMessageSources").From("ext").Access(Scopes.ThreadsRead).Demo(DemoWorld.Sources);
    }

    /// <summary>Lists a thread's messages, oldest first.</summary>
    private static async Task<Ok<MessagePage>> List(Guid threadId, HttpRequest request, FlapjackDb db, CallerContext access, CancellationToken cancellationToken)
    {
        var query = new Query(request);
        var (limit, offset) = (query.Integer("limit", 100, 1, 200), query.Integer("offset", 0, 0, int.MaxValue));
        var newestFirst = query.OneOf("order", "asc", "asc", "desc") == "desc";
        var withTools = query.OneOf("include", "none", "none", "tools") == "tools";
        await db.FindThreadAsync(access, threadId, cancellationToken);
        var rows = db.Messages.AsNoTracking().Where(m => m.ThreadId == threadId && m.Role != MessageRoles.Step);
        if (!withTools) rows = rows.Where(m => m.Role != MessageRoles.Tool);
        var total = await rows.LongCountAsync(cancellationToken);
        rows = newestFirst ? rows.OrderByDescending(m => m.Seq) : rows.OrderBy(m => m.Seq);
        var page = await rows.Skip(offset).Take(limit).ToListAsync(cancellationToken);
        var calls = withTools ? await CallsAsync(db, threadId, page, cancellationToken) : null;
        return TypedResults.Ok(new MessagePage(page.ConvertAll(m => MessageResponse.From(m, m.Role == MessageRoles.Assistant && m.TurnId is not null ? calls?[(m.TurnId, m.SenderId)].ToList() : null)), total));
    }

    /// <summary>Sends a message and streams the answer, or brings the results of client-side tools and streams on.</summary>
    private static async Task Post(Guid threadId, JsonBody<MessageRequest> body, ClientConnection client, TurnOpening opening)
    {
        using var opened = await opening.OpenAsync(threadId, body.Value, client);
        await TurnAnswer.WriteAsync(client, opened);
    }

    /// <summary>Stops the running turn and drops pending client-side calls. Also fine when nothing runs.</summary>
    private static async Task<Ok<Deleted>> Stop(Guid threadId, FlapjackDb db, CallerContext access, TurnStops stops, CancellationToken cancellationToken)
    {
        await stops.StopAsync(await db.FindThreadAsync(access, threadId, cancellationToken), cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    /// <summary>Attaches to the running turn, or replays one that ended a short while ago from where <c>Last-Event-ID</c> says.</summary>
    private static async Task Attach(Guid threadId, HttpRequest request, ClientConnection client, Databases databases, CallerContext access, TurnAttachment attachment)
    {
        ConversationThread thread;
        await using (var db = databases.Open(access)) thread = await db.FindThreadAsync(access, threadId, client.Left);
        var last = request.Headers["Last-Event-ID"].ToString();
        if (last.Length == 0) last = new Query(request).Text("lastEventId", "last_event_id") ?? "";
        await attachment.WriteAsync(client, access, thread, last);
    }

    /// <summary>Lists the knowledge that was put into the prompt of the turn that wrote this message.</summary>
    private static async Task<Ok<MessageSources>> Sources(Guid threadId, Guid messageId, FlapjackDb db, CallerContext access, TurnSources sources, CancellationToken cancellationToken)
    {
        await db.FindThreadAsync(access, threadId, cancellationToken);
        var answer = await db.Messages.AsNoTracking().Where(m => m.ThreadId == threadId && m.Id == messageId && m.Role == MessageRoles.Assistant).Select(m => new { m.TurnId, m.SenderId }).FirstOrDefaultAsync(cancellationToken)
            ?? throw ApiException.NotFound("Message");
        if (answer.TurnId is not { } turn) return TypedResults.Ok(new MessageSources(messageId, []));
        var agent = Guid.TryParse(answer.SenderId, out var speaker) ? speaker : (Guid?)null;
        var found = await sources.ReadAsync(access.OrgId, turn, agent, cancellationToken);
        return TypedResults.Ok(new MessageSources(messageId, [.. found.Select(s => new MessageSource(s.DocumentId, s.ChunkId, s.Title, s.SourceRef, s.ScopeType, s.Position, s.Page, Math.Round(s.Score, 6), s.Text))]));
    }

    // By turn and agent: several agents may have answered in one turn.
    private static async Task<ILookup<(Guid? Turn, string? Agent), MessageToolCall>> CallsAsync(FlapjackDb db, Guid threadId, List<Message> page, CancellationToken cancellationToken)
    {
        var turns = page.Where(m => m.Role == MessageRoles.Assistant && m.TurnId != null).Select(m => m.TurnId).Distinct().ToList();
        var steps = await db.Messages.AsNoTracking().Where(m => m.ThreadId == threadId && m.Role == MessageRoles.Step && turns.Contains(m.TurnId)).OrderBy(m => m.Seq).ToListAsync(cancellationToken);
        return steps.SelectMany(step => StepCalls.Parse(step.ToolCalls), (step, call) => (Key: (step.TurnId, step.SenderId), call)).ToLookup(pair => pair.Key, pair => pair.call);
    }
}
