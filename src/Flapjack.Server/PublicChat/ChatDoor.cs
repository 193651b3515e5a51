using Flapjack.Server.Agents.Publishing;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.PublicChat;

/// <summary>What a request says of its visitor.</summary>
/// <param name="Host">The host it was sent to.</param>
/// <param name="Origin">The page it came from; null outside of browsers.</param>
/// <param name="Session">The token of <see cref="SessionHeader"/>.</param>
internal sealed record Visitor(string? Host, string? Origin, string? Session)
{
    public const string SessionHeader = "X-Flapjack-Session";
}

/// <summary>A visitor in a published chat.</summary>
/// <param name="Chat">The chat.</param>
/// <param name="Session">Null without a valid token.</param>
/// <param name="BringsToken">Whether there was any.</param>
internal sealed record ChatVisit(PublishedAgent Chat, VisitorSession? Session, bool BringsToken)
{
    public Publication Publication => Chat.Publication;
}

/// <summary>Lets strangers into published chats, and to the threads there that are theirs.</summary>
internal sealed class ChatDoor(Publications publications, VisitorSessions sessions, Databases databases, CallerContext access)
{
    /// <summary>A chat as it may be shown to a page of this origin.</summary>
    public async Task<PublishedAgent> FindAsync(string slug, Visitor visitor, CancellationToken cancellationToken)
    {
        var chat = await publications.FindAsync(slug, cancellationToken) ?? throw ApiException.NotFound("Chat");
        if (visitor.Origin is { Length: > 0 } origin && chat.Publication.Origins is { } allowed && !allowed.Contains(origin) && !IsOwn(origin, visitor.Host))
            throw ApiException.Forbidden("pages of this origin may not use the chat");
        return chat;
    }

    /// <summary>The same for whoever wants more than to look at it: a private chat asks for a session.</summary>
    public async Task<ChatVisit> EnterAsync(string slug, Visitor visitor, CancellationToken cancellationToken)
    {
        var chat = await FindAsync(slug, visitor, cancellationToken);
        var visit = new ChatVisit(chat, await sessions.ReadAsync(chat.Publication, visitor.Session, cancellationToken), !string.IsNullOrEmpty(visitor.Session));
        return chat.Publication.IsPrivate && visit.Session is not { IsAnonymous: false } ? throw NoSession() : visit;
    }

    /// <summary>Lets a visitor open a thread. Whoever brings a token has to bring a valid one.</summary>
    public async Task AdmitAsync(ChatVisit visit, string address, CancellationToken cancellationToken)
    {
        if (visit is { BringsToken: true, Session: null }) throw NoSession();
        var chat = visit.Publication;
        access.EnterVisitor(chat.OrgId, chat.Id, await sessions.NameAsync(chat, visit.Session, address, cancellationToken));
    }

    /// <summary>A thread of the chat that is the visitor's. From here on the request acts as the visitor who opened it.</summary>
    public async Task<ConversationThread> FindThreadAsync(ChatVisit visit, Guid threadId, CancellationToken cancellationToken)
    {
        var chat = visit.Publication;
        await using var db = databases.Open(chat.OrgId);
        var thread = await db.Threads.AsNoTracking().FirstOrDefaultAsync(t => t.Id == threadId && t.PublicationId == chat.Id, cancellationToken) ?? throw ApiException.NotFound("Thread");
        if (thread.Visitor is not null && visit.Session is null) throw NoSession();
        // A public thread that is nobody's belongs to whoever knows its id.
        if (thread.Visitor is null ? chat.IsPrivate : thread.Visitor != visit.Session!.Subject) throw ApiException.NotFound("Thread");
        access.EnterVisitor(chat.OrgId, chat.Id, thread.UserId!);
        return thread;
    }

    /// <summary>Lets the visitor of a turn in again; a stranger to it gets the answers of the methods above.</summary>
    public async Task<ChatVisit> ReturnAsync(Guid turnId, Visitor visitor, CancellationToken cancellationToken)
    {
        await using var db = databases.OpenForServer();
        var found = await db.Turns.IgnoreQueryFilters().Where(t => t.Id == turnId).Join(db.Threads.IgnoreQueryFilters(), turn => turn.ThreadId, thread => thread.Id, (_, thread) => thread)
            .Join(db.Publications.IgnoreQueryFilters(), thread => thread.PublicationId, chat => chat.Id, (thread, chat) => new { thread.Id, chat.Slug }).FirstOrDefaultAsync(cancellationToken) ?? throw ApiException.NotFound("Thread");
        var visit = await EnterAsync(found.Slug, visitor, cancellationToken);
        await FindThreadAsync(visit, found.Id, cancellationToken);
        return visit;
    }

    // The server's own page; behind a proxy the scheme may be another.
    private static bool IsOwn(string origin, string? host) => Uri.TryCreate(origin, UriKind.Absolute, out var uri) && string.Equals(uri.Authority, host, StringComparison.OrdinalIgnoreCase);

    private static ApiException NoSession() => ApiException.Unauthorized($"send a valid session token as {Visitor.SessionHeader}");
}
