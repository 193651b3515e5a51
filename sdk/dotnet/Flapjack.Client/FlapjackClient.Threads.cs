namespace Flapjack.Client;

public sealed partial class FlapjackClient
{
    /// <summary>Threads of an agent, newest first.</summary>
    public Task<ThreadPage> ListThreadsAsync(Guid agentId, int? limit = null, DateTimeOffset? cursor = null, string? status = null, string? userId = null, string? scope = null, CancellationToken cancellationToken = default) => GetAsync<ThreadPage>(With("api/threads", ("agentId", agentId), ("limit", limit), ("cursor", cursor), ("status", status), ("userId", userId), ("scope", scope)), cancellationToken);

    /// <summary>Makes a thread.</summary>
    public Task<ConversationThread> CreateThreadAsync(CreateThreadRequest thread, CancellationToken cancellationToken = default) => PostAsync<ConversationThread>("api/threads", thread, cancellationToken);

    /// <summary>A thread.</summary>
    public Task<ConversationThread> GetThreadAsync(Guid threadId, CancellationToken cancellationToken = default) => GetAsync<ConversationThread>($"api/threads/{threadId}", cancellationToken);

    /// <summary>Changes a thread from its next message on.</summary>
    public Task<ConversationThread> UpdateThreadAsync(Guid threadId, ThreadChanges changes, CancellationToken cancellationToken = default) => PatchAsync<ConversationThread>($"api/threads/{threadId}", changes, cancellationToken);

    /// <summary>Removes a thread with its messages and files.</summary>
    public Task DeleteThreadAsync(Guid threadId, CancellationToken cancellationToken = default) => DeleteAsync($"api/threads/{threadId}", null, cancellationToken);

    /// <summary>Copies a thread, up to a message.</summary>
    public Task<ConversationThread> ForkThreadAsync(Guid threadId, ForkRequest? fork = null, CancellationToken cancellationToken = default) => PostAsync<ConversationThread>($"api/threads/{threadId}/fork", fork ?? new(), cancellationToken);

    /// <summary>Who takes part in a multiplayer thread.</summary>
    public Task<IReadOnlyList<Participant>> ListParticipantsAsync(Guid threadId, CancellationToken cancellationToken = default) => GetAsync<IReadOnlyList<Participant>>($"api/threads/{threadId}/participants", cancellationToken);

    /// <summary>Lets somebody take part, or changes the role.</summary>
    public Task<Participant> AddParticipantAsync(Guid threadId, ParticipantRequest participant, CancellationToken cancellationToken = default) => PostAsync<Participant>($"api/threads/{threadId}/participants", participant, cancellationToken);

    /// <summary>Ends that somebody takes part.</summary>
    public Task RemoveParticipantAsync(Guid threadId, string userId, CancellationToken cancellationToken = default) => DeleteAsync($"api/threads/{threadId}/participants", new { userId }, cancellationToken);

    /// <summary>Messages of a thread, oldest first unless <paramref name="order"/> is <c>desc</c>; <paramref name="include"/> = <c>tools</c> adds those of tools.</summary>
    public Task<MessagePage> ListMessagesAsync(Guid threadId, int? limit = null, int? offset = null, string? order = null, string? include = null, CancellationToken cancellationToken = default) => GetAsync<MessagePage>(With($"api/threads/{threadId}/messages", ("limit", limit), ("offset", offset), ("order", order), ("include", include)), cancellationToken);

    /// <summary>Knowledge behind an answer.</summary>
    public Task<MessageSources> ListMessageSourcesAsync(Guid threadId, Guid messageId, CancellationToken cancellationToken = default) => GetAsync<MessageSources>($"api/threads/{threadId}/messages/{messageId}/sources", cancellationToken);
}
