using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Demo;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Logs;

internal static class LogEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var logs = app.MapGroup("/api/logs").WithTags("logs");
        logs.MapGet("", List).WithName("listTraces").Access(Scopes.LogsRead).Demo(DemoWorld.Logs).From("doc");
        logs.MapGet("/{traceId:guid}", Get).WithName("getTrace").Access(Scopes.LogsRead).Demo(DemoWorld.Log).From("doc");
        logs.MapPost("/{traceId:guid}/evaluations", Evaluate).WithName("createEvaluation").Access(Scopes.LogsRead, Role.Member).From("ext");
        logs.MapDelete("/{traceId:guid}/evaluations/{evaluationId:guid}", DeleteEvaluation).WithName("deleteEvaluation").Access(Scopes.LogsRead, Role.Member).From("ext");
    }

    /// <summary>Lists traces, newest first.</summary>
    private static async Task<Ok<TraceListResponse>> List(HttpContext http, FlapjackDb db, CallerContext access, CancellationToken cancellationToken)
    {
        var query = new Query(http.Request);
        var limit = query.Integer("limit", 50, 1, 200);
        var traces = db.Traces.AsNoTracking().VisibleTo(access, db).Search(TraceFilter.Read(query)).After(TraceCursor.Read(query));
        var page = await traces.Take(limit + 1).ToListAsync(cancellationToken);
        var next = page.Count > limit ? new TraceCursor(page[limit - 1].StartedAt, page[limit - 1].Id).ToString() : null;
        return TypedResults.Ok(new TraceListResponse { Traces = [.. page.Take(limit).Select(TraceSummaryResponse.From)], NextCursor = next });
    }

    /// <summary>Reads a trace with its spans and evaluations.</summary>
    private static async Task<Ok<TraceDetailResponse>> Get(Guid traceId, FlapjackDb db, CallerContext access, CancellationToken cancellationToken)
    {
        var trace = await FindAsync(traceId, db, access, cancellationToken);
        var spans = await db.Spans.AsNoTracking().Where(s => s.TraceId == traceId).ToListAsync(cancellationToken);
        var evaluations = await db.Evaluations.AsNoTracking().Where(e => e.TraceId == traceId).OrderBy(e => e.CreatedAt).ThenBy(e => e.Id).ToListAsync(cancellationToken);
        // The root may share its start with its first child; it comes first all the same.
        var ordered = spans.OrderBy(s => s.StartedAt).ThenBy(s => s.ParentSpanId is not null).ThenBy(s => s.Id);
        return TypedResults.Ok(new TraceDetailResponse { Trace = TraceResponse.From(trace), Spans = [.. ordered.Select(SpanResponse.From)], Evaluations = evaluations.ConvertAll(EvaluationResponse.From) });
    }

    /// <summary>Attaches a judgement to a trace or one of its spans.</summary>
    private static async Task<Created<EvaluationResponse>> Evaluate(Guid traceId, JsonBody<EvaluationRequest> body, FlapjackDb db, CallerContext access, TimeProvider time, CancellationToken cancellationToken)
    {
        await FindAsync(traceId, db, access, cancellationToken);
        var errors = new FieldErrors();
        var spanId = Check(body.Value, access, errors);
        errors.ThrowIfAny();
        var spans = db.Spans.AsNoTracking().Where(s => s.TraceId == traceId && (spanId == null ? s.ParentSpanId == null : s.Id == spanId));
        var span = await spans.OrderBy(s => s.StartedAt).Select(s => (Guid?)s.Id).FirstOrDefaultAsync(cancellationToken);
        // A trace that still runs has no spans yet; its judgement then names the trace itself.
        if (span is null && spanId is not null) throw ApiException.NotFound("Span");
        var evaluation = new Evaluation
        {
            Id = Ids.New(), OrgId = access.OrgId, TraceId = traceId, SpanId = span ?? traceId, Source = body.Value.Source.Value ?? "human", Name = body.Value.Name.Value!.Trim(),
            Score = body.Value.Score.Value, Label = body.Value.Label.Value, Comment = body.Value.Comment.Value, CreatedBy = access.Caller.UserId, CreatedAt = time.Now(),
        };
        db.Evaluations.Add(evaluation);
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Created($"/api/logs/{traceId}", EvaluationResponse.From(evaluation));
    }

    /// <summary>Deletes a judgement.</summary>
    private static async Task<Ok<Deleted>> DeleteEvaluation(Guid traceId, Guid evaluationId, FlapjackDb db, CallerContext access, CancellationToken cancellationToken)
    {
        await FindAsync(traceId, db, access, cancellationToken);
        db.Evaluations.Remove(await db.Evaluations.FirstOrDefaultAsync(e => e.Id == evaluationId && e.TraceId == traceId, cancellationToken) ?? throw ApiException.NotFound("Evaluation"));
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Ok(Deleted.Ok);
    }

    private static async Task<Trace> FindAsync(Guid traceId, FlapjackDb db, CallerContext access, CancellationToken cancellationToken) =>
        await db.Traces.AsNoTracking().VisibleTo(access, db).FirstOrDefaultAsync(t => t.Id == traceId, cancellationToken) ?? throw ApiException.NotFound("Trace");

    private static Guid? Check(EvaluationRequest request, CallerContext access, FieldErrors errors)
    {
        errors.Required("name", request.Name.Value, 200);
        if (request.Score.Value is null && request.Label.Value is null) errors.Add("score", "score or label is required");
        errors.Text("label", request.Label.Value, 200, min: 1);
        errors.Text("comment", request.Comment.Value, 4_000);
        if (access.Caller.Kind == CallerKind.User) errors.OneOf("source", request.Source.Value, "human");
        else errors.OneOf("source", request.Source.Value, "human", "heuristic", "llm_judge");
        return errors.Id("spanId", request.SpanId.Value);
    }
}
