using System.Text.Json;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Threads;

/// <summary>The checked fields of a new thread.</summary>
internal sealed record ThreadDraft(string? Title, string Kind, string? ActiveProfile, string? Overlay, string Bindings, string? UserId, string Metadata)
{
    /// <summary>Left out of lists, and removed when nobody used it for so long; null = an ordinary thread.</summary>
    public TimeSpan? HiddenFor { get; init; }

    /// <summary>The thread in which a call of another agent made this one; it goes with that thread.</summary>
    public Guid? Parent { get; init; }

    /// <summary>The published chat it is opened in.</summary>
    public Guid? PublicationId { get; init; }

    /// <summary>The visitor whose session it will need.</summary>
    public string? Visitor { get; init; }

    /// <summary>Messages the thread begins with.</summary>
    public IReadOnlyList<PastMessage> Past { get; init; } = [];

    public static ThreadDraft From(CreateThreadRequest request, CallerContext access, FieldErrors errors)
    {
        errors.Text("title", request.Title.Value, 300);
        errors.OneOf("kind", request.Kind.Value, ThreadKinds.Single, ThreadKinds.Multiplayer);
        errors.Text("userId", request.UserId.Value, 255);
        errors.Object("metadata", request.Metadata.Value, FieldRules.MetadataBytes);
        return new(
            request.Title.Value,
            request.Kind.Value ?? ThreadKinds.Single,
            request.ActiveProfile.Value,
            ThreadFields.Overlay(errors, "systemPromptOverlay", request.SystemPromptOverlay.Value),
            ThreadFields.Bindings(errors, "resourceBindings", request.ResourceBindings.Value),
            // Only an application may name somebody else; a user is who they are.
            access.Caller.Kind == CallerKind.User ? access.Caller.UserId.ToString() : request.UserId.Value,
            request.Metadata.Value is { ValueKind: JsonValueKind.Object } metadata ? metadata.GetRawText() : "{}");
    }
}

/// <summary>Stores new threads.</summary>
internal sealed class ThreadOpening(IWriter writer, Databases databases, TimeProvider time)
{
    private readonly Lock _ticking = new();
    private DateTime _last;

    /// <summary>Stores the thread; null when there is no such agent.</summary>
    public async Task<ConversationThread?> OpenAsync(ThreadDraft draft, Guid agentId, CallerContext access, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            var now = Next();
            var thread = new ConversationThread
            {
                Id = Ids.New(),
                OrgId = access.OrgId,
                AgentId = agentId,
                Title = draft.Title,
                Kind = draft.Kind,
                ActiveProfile = draft.ActiveProfile,
                SystemPromptOverlay = draft.Overlay,
                ResourceBindings = draft.Bindings,
                UserId = draft.UserId,
                Metadata = draft.Metadata,
                Hidden = draft.HiddenFor is not null,
                ExpiresAt = now + draft.HiddenFor,
                ParentThreadId = draft.Parent,
                PublicationId = draft.PublicationId,
                Visitor = draft.Visitor,
                LastSeq = draft.Past.Count,
                CreatedAt = now,
                UpdatedAt = now,
            };
            SqlStatement[] unit = thread.IsMultiplayer && access.Caller.UserId is { } user
                ? [ThreadSql.Insert(thread), ThreadSql.InsertOwner(thread, user.ToString(), access.Caller.UserName)]
                : thread.PublicationId is null ? [ThreadSql.Insert(thread), .. PastMessageSql.Insert(thread, draft.Past)] : [ThreadSql.Insert(thread), ThreadSql.NotePublication(thread)];
            var result = await writer.WriteAsync(unit, cancellationToken);
            if (result.Affected[0] == 1) return thread;
            // No agent, or another node took this microsecond; the next one is free sooner or later.
            await using var db = databases.Open(access.OrgId);
            if (attempt > 100 || !await db.Agents.AnyAsync(a => a.Id == agentId && a.DeletedAt == null, cancellationToken)) return null;
        }
    }

    /// <summary>Times of creation are unique, so that a page ending at one loses no row.</summary>
    public DateTime Next()
    {
        lock (_ticking)
        {
            var now = time.Now();
            return _last = now > _last || _last - now > TimeSpan.FromSeconds(10) ? now : _last.AddMicroseconds(1);
        }
    }
}
