using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flapjack.Server.Threads.Forks;

internal static class ForkEndpoints
{
    public static void Map(IEndpointRouteBuilder app) =>
        app.MapPost("/api/threads/{threadId:guid}/fork", Fork).WithTags("threads").WithName("forkThread").From("ext").Access(Scopes.ThreadsWrite, Role.Member);

    /// <summary>Copies a thread up to and including a message into a new one. Agent, kind, profile, overlay and resource bindings stay the same.</summary>
    private static async Task<Created<ThreadResponse>> Fork(Guid threadId, JsonBody<ForkRequest> body, FlapjackDb db, CallerContext access, ThreadFork fork, CancellationToken cancellationToken)
    {
        var thread = await db.FindThreadAsync(access, threadId, cancellationToken);
        var errors = new FieldErrors();
        var messageId = errors.Id("messageId", body.Value.MessageId.Value);
        errors.Text("title", body.Value.Title.Value, 300);
        errors.ThrowIfAny();
        var copy = await fork.CopyAsync(thread, messageId, body.Value.Title.Value, cancellationToken);
        return TypedResults.Created($"/api/threads/{copy.Id}", ThreadResponse.From(copy, DateTime.MinValue));
    }
}
