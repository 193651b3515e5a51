using System.Text.Json;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Agents;

/// <summary>Applies a request to an agent and collects its faults.</summary>
internal sealed class AgentEditor(ModelDirectory models, ServerSettings settings)
{
    /// <summary>The largest <c>max_output_tokens</c> of any model here; the model's own maximum is checked by its provider.</summary>
    private const int OutputTokenLimit = 1_000_000;

    public int DefaultMaxToolCalls => settings.Turns.MaxToolCalls;

    public ValueTask<string> DefaultModelAsync(CancellationToken cancellationToken) => models.DefaultModelAsync(cancellationToken);

    /// <summary>Throws 422 with every fault; the agent is then half changed and must not be saved.</summary>
    public async Task ApplyAsync(Agent agent, AgentRequest request, FieldErrors errors, CancellationToken cancellationToken)
    {
        Apply(agent, request, await DefaultModelAsync(cancellationToken), errors);
        if (request.DefaultModel.IsSet || request.MaxOutputTokens.IsSet)
        {
            var model = await models.ResolveAsync(agent.DefaultModel, cancellationToken);
            if (model is null && request.DefaultModel.Value is not null) errors.Add("defaultModel", "is unknown; GET /api/models lists what there is");
            if (model?.MaxOutputTokens is { } most && agent.MaxOutputTokens > most) errors.Add("maxOutputTokens", $"must be at most {most}, the maximum of {agent.DefaultModel}");
        }
        var projectId = errors.Id("projectId", request.ProjectId.Value);
        errors.ThrowIfAny();
        // No project exists on this server yet, so none can be named.
        if (projectId is not null) throw ApiException.NotFound("Project");
        if (request.ProjectId.IsSet) agent.ProjectId = null;
    }

    private void Apply(Agent agent, AgentRequest request, string defaultModel, FieldErrors errors)
    {
        if (request.Name.IsSet) Set(errors, "name", request.Name.Value, 200, value => agent.Name = value);
        if (request.Description.IsSet) agent.Description = Checked(errors, "description", request.Description.Value, 2_000);
        if (request.StablePreamble.IsSet) agent.StablePreamble = Checked(errors, "stablePreamble", request.StablePreamble.Value, 200_000);
        if (request.DefaultModel.IsSet) agent.DefaultModel = request.DefaultModel.Value ?? defaultModel;
        if (request.RuntimeProvider.IsSet) agent.RuntimeProvider = request.RuntimeProvider.Value;
        if (request.ScheduledTasksEnabled.IsSet) agent.ScheduledTasksEnabled = request.ScheduledTasksEnabled.Value ?? false;
        if (request.Temperature.IsSet) agent.Temperature = request.Temperature.Value;
        if (request.MaxToolCalls.IsSet) agent.MaxToolCalls = request.MaxToolCalls.Value ?? DefaultMaxToolCalls;
        if (request.MaxOutputTokens.IsSet) agent.MaxOutputTokens = request.MaxOutputTokens.Value;
        errors.OneOf("runtimeProvider", agent.RuntimeProvider, "tensorlake", "modal");
        errors.Range("temperature", agent.Temperature, 0, 1);
        errors.Range("maxToolCalls", agent.MaxToolCalls, 1, 100);
        errors.Range("maxOutputTokens", agent.MaxOutputTokens, 1, OutputTokenLimit);
        ApplyMetadata(agent, request, errors);
        ApplyProfiles(agent, request, errors);
    }

    private static void ApplyMetadata(Agent agent, AgentRequest request, FieldErrors errors)
    {
        if (!request.Metadata.IsSet) return;
        errors.Object("metadata", request.Metadata.Value, FieldRules.MetadataBytes);
        agent.Metadata = request.Metadata.Value is { ValueKind: JsonValueKind.Object } metadata ? metadata.GetRawText() : "{}";
    }

    private static void ApplyProfiles(Agent agent, AgentRequest request, FieldErrors errors)
    {
        var profilesAreFine = true;
        if (request.ToolProfiles.IsSet)
        {
            if (request.ToolProfiles.Value is { ValueKind: not JsonValueKind.Null } profiles)
            {
                var faults = new FieldErrors();
                AgentProfiles.Check(faults, "toolProfiles", profiles);
                profilesAreFine = faults.Count == 0;
                errors.AddRange(faults);
                agent.ToolProfiles = profiles.GetRawText();
            }
            else
            {
                agent.ToolProfiles = null;
                agent.DefaultProfile = null;
            }
        }
        if (request.DefaultProfile.IsSet) agent.DefaultProfile = request.DefaultProfile.Value;
        var wasNamed = request.DefaultProfile is { IsSet: true, Value: not null };
        if (wasNamed && profilesAreFine && !AgentProfiles.Has(agent.ToolProfiles, agent.DefaultProfile!)) errors.Add("defaultProfile", "is not a key of toolProfiles");
    }

    private static string? Checked(FieldErrors errors, string field, string? value, int max)
    {
        errors.Text(field, value, max);
        return value;
    }

    private static void Set(FieldErrors errors, string field, string? value, int max, Action<string> apply)
    {
        if (value is null || string.IsNullOrWhiteSpace(value)) errors.Add(field, "must not be blank");
        else if (value.Length > max) errors.Add(field, $"has more than {max} characters");
        else apply(value);
    }
}
