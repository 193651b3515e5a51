using System.Text.Json;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Logs;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Threads.Turns;

/// <summary>Makes the rows of a turn's trace. They are written in the turn's own transactions, so a trace is never missing and never waits.</summary>
internal sealed class TurnTraces(ServerSettings settings)
{
    public static Trace Begin(TurnPlan plan, Guid turnId, DateTime startedAt) => new()
    {
        Id = turnId,
        OrgId = plan.Thread.OrgId,
        AgentId = plan.Agent.Id,
        ThreadId = plan.Thread.Id,
        SessionId = Text(plan.Options.Metadata, "sessionId", "session_id") ?? $"sess_{plan.Thread.Id}",
        UserId = plan.UserId,
        Name = NameOf(plan.Options.Source),
        Status = "running",
        StartedAt = startedAt,
        Tags = Tags(plan, stopped: false),
        Metadata = plan.Options.Metadata?.GetRawText() ?? "{}",
    };

    private static string NameOf(string source) => source switch
    {
        TurnDoors.Public => "public-turn",
        TurnDoors.Channel => "channel-turn",
        _ => "chat-turn",
    };

    /// <summary>The statements that end a trace, or add a stream's spans to it when the turn goes on later.</summary>
    /// <param name="run">The stream that ended.</param>
    /// <param name="status"><c>ok</c>, <c>error</c>, or <c>running</c> when the turn waits for the client.</param>
    /// <param name="error">Code of the error that ended the turn.</param>
    /// <param name="stopped">Whether somebody stopped it.</param>
    /// <param name="now">When.</param>
    public IEnumerable<Platform.Storage.SqlStatement> End(TurnRun run, string status, string? error, bool stopped, DateTime now)
    {
        var (plan, usage) = (run.Plan, run.Usage);
        if (plan.IsNested) yield break;
        var thread = plan.Thread.Id;
        var ended = status != "running";
        var spans = run.State.Spans;
        yield return TurnSql.EndTrace(new Trace
        {
            Id = run.Live.TurnId,
            OrgId = plan.Thread.OrgId,
            ThreadId = thread,
            SessionId = "",
            Name = "",
            Status = status,
            StartedAt = run.StartedAt,
            EndedAt = ended ? now : null,
            InputTokens = usage.InputTokens,
            OutputTokens = usage.OutputTokens,
            CostUsd = (double)(run.CostUsd ?? 0),
            Tags = Tags(plan, stopped),
            SpanCount = spans.Count + (ended ? 1 : 0),
            ErrorCount = spans.Count(s => s.Error is not null) + (error is null ? 0 : 1),
            LlmCallCount = spans.Count(s => s.Model is not null),
            ToolCallCount = spans.Count(s => s.Model is null),
        });
        var root = run.RootSpanId;
        if (ended) yield return TurnSql.InsertSpan(thread, Root(run, root, error, now));
        foreach (var span in spans) yield return TurnSql.InsertSpan(thread, Child(run, root, span));
    }

    private Span Root(TurnRun run, Guid id, string? error, DateTime now) => new()
    {
        Id = id,
        OrgId = run.Plan.Thread.OrgId,
        TraceId = run.Live.TurnId,
        Kind = "agent",
        Name = run.Plan.Agent.Name,
        Status = error is null ? "ok" : "error",
        StartedAt = run.StartedAt,
        EndedAt = now,
        Input = Content(run.Input),
        Output = Content(run.Text),
        Error = error,
    };

    /// <summary>The root span of a turn that was given up while it waited for the client.</summary>
    public Span Root(Guid id, Turn turn, string agentName, string? input, string output, DateTime now) => new()
    {
        Id = id,
        OrgId = turn.OrgId,
        TraceId = turn.Id,
        Kind = "agent",
        Name = agentName,
        Status = "ok",
        StartedAt = turn.StartedAt,
        EndedAt = now,
        Input = Content(input),
        Output = Content(output),
    };

    /// <summary>Stored tags with the one that says somebody stopped the turn.</summary>
    public static string WithStopped(string tags) => JsonSerializer.Serialize(JsonSerializer.Deserialize<List<string>>(tags, WireJson.Responses)!.Append("stopped").Distinct(), WireJson.Responses);

    private Span Child(TurnRun run, Guid root, TurnSpan span) => Span.Of(run.Plan.Thread.OrgId, run.Live.TurnId, span.ParentId ?? root, span, run.CallOf(span), settings.Logs.CaptureContent);

    private string? Content(string? text) =>
        settings.Logs.CaptureContent ? "{\"content\":" + JsonSerializer.Serialize(text is { Length: > 250_000 } ? text[..250_000] : text, WireJson.Responses) + "}" : null;

    private static string Tags(TurnPlan plan, bool stopped)
    {
        if (plan.Options is { Metadata: null, Source: TurnDoors.Api } && plan.Thread.Metadata == "{}") return stopped ? """["source:api","stopped"]""" : """["source:api"]""";
        var tags = new List<string>();
        foreach (var metadata in (JsonElement?[])[plan.Options.Metadata, JsonElement.Parse(plan.Thread.Metadata)])
        {
            if (metadata is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("tags", out var list) && list.ValueKind == JsonValueKind.Array)
                tags.AddRange(list.EnumerateArray().Where(t => t.ValueKind == JsonValueKind.String).Select(t => t.GetString()!).Take(50));
        }
        tags.Add("source:" + plan.Options.Source);
        if (stopped) tags.Add("stopped");
        return JsonSerializer.Serialize(tags.Distinct(), WireJson.Responses);
    }

    private static string? Text(JsonElement? json, params ReadOnlySpan<string> names)
    {
        if (json is not { } metadata) return null;
        foreach (var name in names)
        {
            if (metadata.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= 255 } text) return text;
        }
        return null;
    }
}
