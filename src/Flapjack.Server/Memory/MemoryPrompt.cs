using System.Globalization;
using System.Text.Json;
using Flapjack.Runtime.Prompts;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Memory.Recall;
using Flapjack.Server.Platform;

namespace Flapjack.Server.Memory;

/// <summary>Puts the memories that fit the message best before a turn, as material without instructions.</summary>
internal sealed partial class MemoryPrompt(AgentConfigs configs, MemoryRecall recall, TimeProvider time, ILogger<MemoryPrompt> logger) : IPromptSource
{
    public async ValueTask<PromptPart?> ReadAsync(PromptRequest request, CancellationToken cancellationToken)
    {
        if (request.For is not { AgentId: { } agent } turn) return null;
        var started = time.Now();
        string? error = null;
        List<RecalledMemory> found = [];
        try
        {
            var config = await MemoryConfig.ForTurnAsync(configs, turn, cancellationToken);
            if (!config.Enabled || !config.AutoInject) return null;
            var scopes = MemoryScope.OpenTo(config, agent, turn.ThreadId, turn.Bindings);
            if (scopes.Count == 0) return null;
            found = await recall.FindAsync(new(turn.OrgId, agent, scopes, request.Query, config.InjectCount) { FillsUp = true }, cancellationToken);
            await recall.TouchAsync(found, cancellationToken);
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            LogUnread(logger, fault, agent);
            error = "INTERNAL_ERROR";
        }
        if (found.Count == 0 && error is null) return null;
        request.Trace(new()
        {
            Id = Ids.New(),
            Kind = "chain",
            Name = "memories",
            StartedAt = started,
            EndedAt = time.Now(),
            Output = JsonSerializer.SerializeToElement(new { memories = found.Select(r => r.Memory.Id) }),
            Error = error,
        });
        return found.Count == 0 ? null : new(PromptSection.Memories, ReferenceBlock.Format(found.Select(r => (TitleOf(r.Memory), r.Memory.Content))));
    }

    private static string TitleOf(MemoryEntry memory)
    {
        var day = memory.CreatedAt.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return memory.Scope == MemoryScope.Resource ? $"memory of {day} about {memory.ScopeId}" : $"memory of {day}";
    }

    [LoggerMessage(1, LogLevel.Warning, "Memories of agent {Agent} could not be put into a prompt")]
    private static partial void LogUnread(ILogger logger, Exception exception, Guid agent);
}
