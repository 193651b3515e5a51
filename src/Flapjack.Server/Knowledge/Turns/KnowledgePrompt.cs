using System.Text.Json;
using Flapjack.Runtime.Prompts;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Knowledge.Search;
using Flapjack.Server.Platform;

namespace Flapjack.Server.Knowledge.Turns;

/// <summary>Puts what documents say about a message into the prompt of its turn.</summary>
internal sealed partial class KnowledgePrompt(AgentEquipment equipment, AgentConfigs configs, KnowledgeSearch search, TurnSources sources, TimeProvider time, ILogger<KnowledgePrompt> logger) : IPromptSource
{
    /// <summary>Of a message: what is longer is a document itself.</summary>
    private const int MaxQuery = 8_000;

    public async ValueTask<PromptPart?> ReadAsync(PromptRequest request, CancellationToken cancellationToken)
    {
        if (request.For.AgentId is null || string.IsNullOrWhiteSpace(request.Query)) return null;
        try
        {
            var reach = await KnowledgeReach.OfAsync(equipment, request.For, cancellationToken);
            if (reach is { Org: false, Agent: false, Threads: false }) return null;
            if (request.IsContinued) await sources.ForgetAsync(request, cancellationToken);
            var config = await configs.ForTurnAsync<KnowledgeConfig>(request.For, cancellationToken);
            if (!config.Enabled || reach.Scopes(request.For, config) is not { Count: > 0 } scopes) return null;
            return await FindAsync(request, config, scopes, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LogFailed(logger, exception, request.TurnId);
            return null;
        }
    }

    private async Task<PromptPart?> FindAsync(PromptRequest request, KnowledgeConfig config, IReadOnlyList<Guid> scopes, CancellationToken cancellationToken)
    {
        var query = request.Query.Length <= MaxQuery ? request.Query : request.Query[..MaxQuery];
        var span = new TurnSpan { Id = Ids.New(), Kind = "chain", Name = "knowledge", StartedAt = time.Now(), Input = JsonSerializer.SerializeToElement(new { query }) };
        var isTold = true;
        try
        {
            var answer = await search.FindAsync(new(request.For.OrgId, scopes, query)
            {
                Limit = config.TopK,
                Mode = config.Mode,
                MinScore = config.MinScore,
                Trace = request.Trace,
                ParentSpan = span.Id,
            }, cancellationToken);
            // Another thread of the organisation has documents, this one has none.
            isTold = answer.HadDocuments;
            var chunks = Fitting(answer.Chunks, config.MaxTokens);
            span.Output = JsonSerializer.SerializeToElement(new { mode = answer.Mode, results = chunks.Select(c => new { document_id = c.DocumentId, title = c.Title, position = c.Position, page = c.Page, score = Math.Round(c.Score, 4) }) });
            if (chunks.Count == 0) return null;
            await sources.StoreAsync(request, chunks, cancellationToken);
            return new(PromptSection.Knowledge, ReferenceBlock.Format(Enumerable.Reverse(chunks).Select(c => (c.Title, TextOf(c)))));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            span.Error = "INTERNAL_ERROR";
            throw;
        }
        finally
        {
            span.EndedAt = time.Now();
            if (isTold) request.Trace(span);
        }
    }

    // A chunk that is too long makes room for shorter ones behind it.
    private static List<FoundChunk> Fitting(IReadOnlyList<FoundChunk> chunks, int tokens)
    {
        var fitting = new List<FoundChunk>(chunks.Count);
        foreach (var chunk in chunks)
        {
            if (chunk.Tokens > tokens) continue;
            tokens -= chunk.Tokens;
            fitting.Add(chunk);
        }
        return fitting;
    }

    private static string TextOf(FoundChunk chunk) => chunk.Page is { } page ? $"(page {page})\n{chunk.Text}" : chunk.Text;

    [LoggerMessage(1, LogLevel.Error, "Documents could not be searched for turn {Turn}")]
    private static partial void LogFailed(ILogger logger, Exception exception, Guid turn);
}
