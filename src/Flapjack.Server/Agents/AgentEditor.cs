using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Agents;

/// <summary>Applies a request to an agent and collects its faults.</summary>
internal static class AgentEditor
{
    /// <summary>The largest <c>max_output_tokens</c> of any model here; the model's own maximum is checked by its provider.</summary>
    private const int OutputTokenLimit = 1_000_000;

    public static void Apply(Agent agent, AgentRequest request, string defaultModel, FieldErrors errors)
    {
        if (request.Name.IsSet) Set(errors, "name", request.Name.Value, 200, value => agent.Name = value);
        if (request.Description.IsSet) agent.Description = Checked(errors, "description", request.Description.Value, 2_000);
        if (request.StablePreamble.IsSet) agent.StablePreamble = Checked(errors, "stablePreamble", request.StablePreamble.Value, 200_000);
        if (request.DefaultModel.IsSet) agent.DefaultModel = request.DefaultModel.Value ?? defaultModel;
        if (request.RuntimeProvider.IsSet) agent.RuntimeProvider = request.RuntimeProvider.Value;
        if (request.ScheduledTasksEnabled.IsSet) agent.ScheduledTasksEnabled = request.ScheduledTasksEnabled.Value ?? false;
        if (request.Temperature.IsSet) agent.Temperature = request.Temperature.Value;
        if (request.MaxToolCalls.IsSet) agent.MaxToolCalls = request.MaxToolCalls.Value ?? 10;
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
