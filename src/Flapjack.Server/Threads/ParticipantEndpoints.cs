using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads.Multiplayer;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads;

internal static class ParticipantEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var participants = app.MapGroup("/api/threads/{threadId:guid}/participants").WithTags("threads").From("doc");
        participants.MapGet("", List).WithName("listParticipants").Access(Scopes.ThreadsRead).Demo(DemoWorld.Participants);
        participants.MapPost("", Add).WithName("addParticipant").Access(Scopes.ThreadsWrite, Role.Member);
        participants.MapDelete("", Remove).WithName("removeParticipant").Access(Scopes.ThreadsWrite, Role.Member);
    }

    /// <summary>Lists who takes part in a multiplayer thread, who came last first.</summary>
    private static async Task<Ok<List<ParticipantResponse>>> List(Guid threadId, HttpContext http, FlapjackDb db, CallerContext access, CancellationToken cancellationToken)
    {
        await db.FindThreadAsync(access, threadId, cancellationToken);
        var rows = await db.Participants.AsNoTracking().Where(p => p.ThreadId == threadId).OrderByDescending(p => p.CreatedAt).ThenByDescending(p => p.UserId).ToPageAsync(http, cancellationToken);
        return TypedResults.Ok(rows.ConvertAll(ParticipantResponse.From));
    }

    /// <summary>Adds somebody, or changes how they take part. 409 when the thread has as many as its agent's multiplayer config allows.</summary>
    private static async Task<Results<Created<ParticipantResponse>, Ok<ParticipantResponse>>> Add(Guid threadId, JsonBody<ParticipantRequest> body, FlapjackDb db, CallerContext access, Participants participants, CancellationToken cancellationToken)
    {
        var thread = await FindManagedAsync(db, access, threadId, cancellationToken);
        var (userId, name, role) = Check(body.Value);
        if (!thread.IsMultiplayer) throw ApiException.Conflict("only multiplayer threads have participants");
        var (participant, isNew) = await participants.PutAsync(thread, userId, name, role, cancellationToken);
        var answer = ParticipantResponse.From(participant);
        return isNew ? TypedResults.Created((string?)null, answer) : TypedResults.Ok(answer);
    }

    /// <summary>Removes somebody. The last owner stays.</summary>
    private static async Task<Ok<Deleted>> Remove(Guid threadId, JsonBody<ParticipantRequest> body, HttpRequest request, FlapjackDb db, CallerContext access, Participants participants, CancellationToken cancellationToken)
    {
        var thread = await FindManagedAsync(db, access, threadId, cancellationToken);
        var userId = body.Value.UserId.Value ?? new Query(request).Text("userId", "user_id");
        if (string.IsNullOrEmpty(userId)) throw ApiException.Invalid("userId", "is required");
        await participants.RemoveAsync(thread, userId, cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    private static async Task<ConversationThread> FindManagedAsync(FlapjackDb db, CallerContext access, Guid threadId, CancellationToken cancellationToken)
    {
        var thread = await db.FindThreadAsync(access, threadId, cancellationToken);
        var user = access.Caller.UserId?.ToString();
        // Threads without participants have no owner to ask for; what may be done there is the same for everybody.
        if (thread.IsMultiplayer && !access.SeesWholeOrg && !await db.Participants.AnyAsync(p => p.ThreadId == threadId && p.UserId == user && p.Role == Participant.Owner, cancellationToken))
            throw ApiException.Forbidden("only owners of the thread manage its participants");
        return thread;
    }

    private static (string UserId, Optional<string> Name, Optional<string> Role) Check(ParticipantRequest request)
    {
        var errors = new FieldErrors();
        errors.Required("userId", request.UserId.Value, 255);
        errors.Text("displayName", request.DisplayName.Value, 200);
        errors.OneOf("role", request.Role.Value, Participant.Owner, Participant.Member);
        errors.ThrowIfAny();
        return (request.UserId.Value!, request.DisplayName, request.Role);
    }
}
