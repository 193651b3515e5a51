using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.OpenAICompat;

/// <summary>Brings a request of either protocol to its turn.</summary>
internal sealed class CompatTurns(GuestTurns guests, ModelTargets targets, Databases databases, CallerContext access)
{
    /// <summary>Tells a client the thread of its answer, and this server the thread to use.</summary>
    public const string ThreadHeader = "X-Flapjack-Thread";

    public async Task<OpenedTurn> OpenAsync(CompatRequest request, ClientConnection client)
    {
        var target = await targets.FindAsync(request.Model, client.Left);
        var opened = request.InThread ? await ContinueAsync(request, target, client) : await BeginAsync(request, target, client);
        client.SetHeader(ThreadHeader, opened.Live.ThreadId.ToString());
        return opened;
    }

    /// <summary>Removes what an answer left, for clients that want nothing kept.</summary>
    public Task DropAsync(OpenedTurn opened) => guests.DropAsync(opened);

    private async Task<OpenedTurn> ContinueAsync(CompatRequest request, ModelTarget target, ClientConnection client)
    {
        var thread = request.ThreadId ?? await ThreadOfAsync(request.PreviousTurnId!.Value, client.Left);
        var draft = request.DraftOf(request.Conversation.Tail(), target.ModelId);
        try
        {
            return await guests.ContinueAsync(thread, target.AgentId, "model", draft, client);
        }
        catch (ApiException fault) when (fault.Detail?.StartsWith("toolResults", StringComparison.Ordinal) == true)
        {
            throw ApiException.Invalid(request.Conversation.List, $"a result was not asked for{fault.Detail[fault.Detail.IndexOf(':', StringComparison.Ordinal)..]}");
        }
    }

    private async Task<OpenedTurn> BeginAsync(CompatRequest request, ModelTarget target, ClientConnection client)
    {
        var (past, waiting, tail) = request.Conversation.Whole();
        // Only an application may name somebody else; a user is who they are.
        var user = access.Caller.Kind == CallerKind.User ? access.Caller.UserId.ToString() : request.Options.SenderId;
        var thread = new ThreadDraft(null, "single", null, null, "[]", user, "{}") { HiddenFor = request.HiddenFor, Past = past };
        return await guests.BeginAsync(new(await targets.AgentOfAsync(target, client.Left), thread, request.DraftOf(tail, target.ModelId), waiting), client);
    }

    private async Task<Guid> ThreadOfAsync(Guid turnId, CancellationToken cancellationToken)
    {
        await using var db = databases.Open(access);
        return await db.Turns.Where(t => t.Id == turnId).Select(t => (Guid?)t.ThreadId).FirstOrDefaultAsync(cancellationToken) ?? throw ApiException.NotFound("Response");
    }
}
