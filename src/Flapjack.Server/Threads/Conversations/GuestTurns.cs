using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads.Conversations;

/// <summary>A conversation that begins with a request: its thread, and the message that starts the turn.</summary>
/// <param name="AgentId">The agent of the thread.</param>
/// <param name="Thread">The thread with what was said before.</param>
/// <param name="Message">The new message, or the results of <paramref name="Waiting"/>.</param>
/// <param name="Waiting">Set when the conversation stands in the middle of a turn, at calls the client has run.</param>
internal sealed record NewConversation(Guid AgentId, ThreadDraft Thread, MessageDraft Message, WaitingTurn? Waiting)
{
    /// <summary>The messages of both, which are stored before the turn goes on.</summary>
    public IEnumerable<PastMessage> Told => Waiting is null ? Thread.Past : Thread.Past.Append(Waiting.Question);
}

/// <summary>Opens turns for features that speak another protocol than the threads' own. The turns are the same.</summary>
internal sealed class GuestTurns(TurnOpening opening, ThreadOpening threads, TurnImport import, PastAttachments attachments, DetachedRemoval removals, CallerContext access)
{
    /// <summary>Sends a message to a thread, or results to the turn that waits in it.</summary>
    /// <param name="threadId">A thread the caller may see; else 404.</param>
    /// <param name="agentId">The agent it has to have; null = any. Another one is 422 of <paramref name="agentField"/>.</param>
    /// <param name="agentField">What the request calls the agent.</param>
    /// <param name="message">The checked message.</param>
    /// <param name="client">Who waits for the answer.</param>
    public async Task<OpenedTurn> ContinueAsync(Guid threadId, Guid? agentId, string agentField, MessageDraft message, ClientConnection client)
    {
        opening.Admit(client);
        var found = await opening.FindAsync(threadId, client.Left);
        if (agentId is { } wanted && found.Agent.Id != wanted) throw ApiException.Invalid(agentField, $"the thread belongs to agent {found.Agent.Id}");
        return await opening.OpenAsync(found, message, client);
    }

    /// <summary>Opens a thread and its first turn here; nothing stays when the turn is refused.</summary>
    public async Task<OpenedTurn> BeginAsync(NewConversation conversation, ClientConnection client)
    {
        opening.Admit(client);
        var thread = await threads.OpenAsync(conversation.Thread, conversation.AgentId, access, client.Left) ?? throw ApiException.NotFound("Agent");
        try
        {
            var found = await opening.FindAsync(thread.Id, client.Left);
            if (conversation.Waiting is { } waiting)
            {
                await import.StoreAsync(found, waiting, conversation.Message.Options, client.Left);
                found = await opening.FindAsync(thread.Id, client.Left);
            }
            await attachments.StoreAsync(found, conversation.Told, conversation.Message.Options, client.Left);
            return await opening.OpenAsync(found, conversation.Message, client);
        }
        catch
        {
            await removals.TryRemoveAsync(thread.Id, thread.OrgId);
            throw;
        }
    }

    /// <summary>Removes the thread of a turn whose answer was not to be kept.</summary>
    public Task DropAsync(OpenedTurn opened) => removals.TryRemoveAsync(opened.Live.ThreadId, opened.Live.OrgId);
}
