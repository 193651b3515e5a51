using System.Globalization;
using System.Text.Json;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Logs;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.Agents.Suggestions;

/// <summary>What a reviewing model is told of an agent.</summary>
/// <param name="Documents">Titles and texts, each of bounded length.</param>
/// <param name="KnownTitles">What was suggested before, dismissed or not.</param>
internal sealed record ReviewedAgent(IReadOnlyList<(string Title, string Text)> Documents, IReadOnlyList<string> KnownTitles);

/// <summary>Puts together what is known of an agent: its configuration, and what went wrong in the last 30 days.</summary>
/// <remarks>
/// Only what cannot be a secret: the agent, the configs that hold none, names of its equipment. Of traces only codes and counts, since
/// suggestions are read by people who may not read the conversations; and only of traces that the caller may read.
/// </remarks>
internal sealed class ReviewMaterial(FlapjackDb db, CallerContext access, IEnumerable<IEquipmentSource> sources, TimeProvider time)
{
    private const int MostFailing = 500, MostFailures = 40, MostScores = 30, MostItems = 50, MostTitles = 60;
    private const int PreambleLength = 20_000, ConfigLength = 6_000, LineLength = 300;

    /// <summary>Scores go from 0 to 1 by custom.</summary>
    private const double LowScore = 0.5;

    private static readonly TimeSpan Recently = TimeSpan.FromDays(30);

    public async Task<ReviewedAgent> ReadAsync(Agent agent, CancellationToken cancellationToken)
    {
        var titles = await db.Suggestions.Where(s => s.AgentId == agent.Id).OrderByDescending(s => s.CreatedAt).ThenByDescending(s => s.Id).Select(s => s.Title).Take(MostTitles).ToListAsync(cancellationToken);
        var traces = RecentTraces(agent.Id);
        return new(
        [
            ("agent", Describe(agent)),
            ("configs; fields that are not named have their defaults", await ConfigsAsync(agent.Id, cancellationToken)),
            ("tools, servers, databases and documents of the agent", Lines(await EquipmentAsync(agent.Id, cancellationToken))),
            ("failures of the last 30 days, most frequent first", Lines(await FailuresAsync(traces, cancellationToken))),
            ("low scores of the last 30 days, newest first", Lines(await LowScoresAsync(traces, cancellationToken))),
            ("suggested before", Lines(titles)),
        ], titles);
    }

    private IQueryable<Trace> RecentTraces(Guid agentId)
    {
        if (!access.Caller.Has(Scopes.LogsRead)) return db.Traces.Where(t => false);
        var since = time.Now() - Recently;
        return db.Traces.AsNoTracking().VisibleTo(access, db).Where(t => t.StartedAt >= since && t.AgentId == agentId && t.ThreadId != null);
    }

    private static string Describe(Agent agent) => JsonSerializer.Serialize(new
    {
        agent.Name,
        agent.Description,
        StablePreamble = agent.StablePreamble?.Head(PreambleLength),
        agent.DefaultModel,
        agent.Temperature,
        ToolProfiles = agent.ToolProfiles?.Head(ConfigLength),
        agent.DefaultProfile,
        agent.MaxToolCalls,
        agent.MaxOutputTokens,
    }, WireJson.Responses);

    private async Task<string> ConfigsAsync(Guid agentId, CancellationToken cancellationToken)
    {
        var reviewed = SuggestionPatch.ReviewedConfigs;
        var saved = await db.AgentConfigs.Where(c => c.AgentId == agentId && reviewed.Contains(c.Name)).Select(c => new { c.Name, c.Value }).ToListAsync(cancellationToken);
        return string.Join('\n', reviewed.Select(name => $"{name}: {saved.FirstOrDefault(c => c.Name == name)?.Value.Head(ConfigLength) ?? "{}"}"));
    }

    private async Task<IEnumerable<string>> EquipmentAsync(Guid agentId, CancellationToken cancellationToken)
    {
        var items = new List<EquipmentItem>();
        foreach (var source in sources) items.AddRange(await source.ListAsync(db, agentId, MostItems, cancellationToken));
        return items.Select(item => $"{item.Kind} {item.Name}{(string.IsNullOrWhiteSpace(item.Description) ? "" : ": " + item.Description)}");
    }

    private async Task<IEnumerable<string>> FailuresAsync(IQueryable<Trace> traces, CancellationToken cancellationToken)
    {
        var failing = await traces.Where(t => t.ErrorCount > 0).OrderByDescending(t => t.StartedAt).ThenByDescending(t => t.Id).Select(t => t.Id).Take(MostFailing).ToListAsync(cancellationToken);
        var failures = await db.Spans.Where(s => failing.Contains(s.TraceId) && s.Error != null).GroupBy(s => new { s.Kind, s.Name, s.Error })
            .Select(group => new { group.Key.Kind, group.Key.Name, group.Key.Error, Count = group.Count() })
            .OrderByDescending(failure => failure.Count).ThenBy(failure => failure.Name).Take(MostFailures).ToListAsync(cancellationToken);
        return failures.Select(f => $"{f.Count} x {f.Kind} {f.Name}: {f.Error}");
    }

    private async Task<IEnumerable<string>> LowScoresAsync(IQueryable<Trace> traces, CancellationToken cancellationToken)
    {
        var scores = from evaluation in db.Evaluations.AsNoTracking()
                     where evaluation.Score < LowScore
                     join trace in traces on evaluation.TraceId equals trace.Id
                     orderby evaluation.CreatedAt descending, evaluation.Id descending
                     select new { evaluation.Name, evaluation.Score, evaluation.Label, evaluation.Comment };
        var newest = await scores.Take(MostScores).ToListAsync(cancellationToken);
        return newest.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Name}: {s.Score} {s.Label} {s.Comment}"));
    }

    private static string Lines(IEnumerable<string> lines)
    {
        var text = string.Join('\n', lines.Select(line => "- " + line.ReplaceLineEndings(" ").Head(LineLength)));
        return text.Length == 0 ? "none" : text;
    }
}
