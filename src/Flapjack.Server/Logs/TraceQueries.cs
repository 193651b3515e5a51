using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Logs;

internal static class TraceQueries
{
    // Tags are stored by the same rules, so an encoded one is found as text.
    private static readonly JsonSerializerOptions TagText = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Users below admin see what happened in their own threads, and what runners did.</summary>
    public static IQueryable<Trace> VisibleTo(this IQueryable<Trace> traces, CallerContext access, FlapjackDb db)
    {
        if (access.SeesWholeOrg) return traces;
        var own = db.ThreadIdsOf(access.Caller.UserId?.ToString() ?? "");
        return traces.Where(t => t.RunnerId != null || t.ThreadId != null && own.Contains(t.ThreadId.Value));
    }

    public static IQueryable<Trace> Search(this IQueryable<Trace> traces, TraceFilter filter)
    {
        if (filter.AgentId is { } agent) traces = traces.Where(t => t.AgentId == agent);
        if (filter.RunnerId is { } runner) traces = traces.Where(t => t.RunnerId == runner);
        if (filter.ThreadId is { } thread) traces = traces.Where(t => t.ThreadId == thread);
        if (filter.RunId is { } run) traces = traces.Where(t => t.RunId == run);
        if (filter.Status is { } status) traces = traces.Where(t => t.Status == status);
        if (filter.UserId is { } user) traces = traces.Where(t => t.UserId == user);
        if (filter.MinCostUsd is { } cost) traces = traces.Where(t => t.CostUsd >= cost);
        if (filter.From is { } from) traces = traces.Where(t => t.StartedAt >= from);
        if (filter.To is { } to) traces = traces.Where(t => t.StartedAt < to);
#pragma warning disable CA1304, CA1311, CA1862 // The database lowers the text, not this process.
        if (filter.Text is { } text) traces = traces.Where(t => t.Name.ToLower().Contains(text));
#pragma warning restore CA1304, CA1311, CA1862
        if (filter.Tag is { } tag)
        {
            var quoted = JsonSerializer.Serialize(tag, TagText);
            traces = traces.Where(t => t.Tags.Contains(quoted));
        }
        return traces;
    }

    /// <summary>Traces older than the cursor, newest first.</summary>
    public static IQueryable<Trace> After(this IQueryable<Trace> traces, TraceCursor? cursor)
    {
        if (cursor is { } at) traces = traces.Where(t => t.StartedAt < at.StartedAt || t.StartedAt == at.StartedAt && t.Id.CompareTo(at.Id) < 0);
        return traces.OrderByDescending(t => t.StartedAt).ThenByDescending(t => t.Id);
    }
}

/// <summary>What a list of traces is narrowed to.</summary>
internal sealed record TraceFilter(
    Guid? AgentId, Guid? RunnerId, Guid? ThreadId, Guid? RunId, string? Status, string? Text, DateTime? From, DateTime? To, string? Tag, string? UserId, double? MinCostUsd)
{
    public static TraceFilter Read(Query query) => new(
        query.Id("agent_id", "agentId"), query.Id("runner_id", "runnerId"), query.Id("thread_id", "threadId"), query.Id("run_id", "runId"),
        Chosen(query.OneOf("status", "all", "all", "running", "ok", "error")),
        Given(query.Text("q"))?.ToLowerInvariant(), query.Time("from"), query.Time("to"), Given(query.Text("tag")), Given(query.Text("user_id", "userId")), query.Number("min_cost_usd", "minCostUsd"));

    private static string? Chosen(string status) => status == "all" ? null : status;

    private static string? Given(string? text) => string.IsNullOrEmpty(text) ? null : text;
}

/// <summary>Where a page ends: <c>&lt;startedAt&gt;|&lt;traceId&gt;</c>.</summary>
internal readonly record struct TraceCursor(DateTime StartedAt, Guid Id)
{
    public static TraceCursor? Read(Query query)
    {
        if (query.Text("cursor") is not { Length: > 0 } text) return null;
        // A plus sign that was not encoded arrives as a blank; no other part of a cursor holds one.
        var bar = text.IndexOf('|', StringComparison.Ordinal);
        return bar > 0 && WireTime.TryParse(text[..bar].Replace(' ', '+'), out var time) && Guid.TryParseExact(text[(bar + 1)..], "D", out var id)
            ? new TraceCursor(time, id)
            : throw ApiException.Invalid("cursor", "must be <startedAt>|<traceId>");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{WireTime.Format(StartedAt)}|{Id}");
}
