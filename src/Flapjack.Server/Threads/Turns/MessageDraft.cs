using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Attachments;

namespace Flapjack.Server.Threads.Turns;

/// <summary>A checked message.</summary>
internal sealed record MessageDraft
{
    public const int ContentLimit = 400_000, ResultLimit = 1024 * 1024, MaxFallbacks = 10;

    /// <summary>The user's text; null when the message only brings tool results or attachments.</summary>
    public required string? Content { get; init; }

    /// <summary>Images and files as they were sent.</summary>
    public required IReadOnlyList<AttachmentDraft> Attachments { get; init; }

    /// <summary>The same once they are stored; see <see cref="AttachmentIntake"/>.</summary>
    public IReadOnlyList<MessageAttachment> Attached { get; init; } = [];

    /// <summary>True when something is to be stored as a message of the user.</summary>
    public bool BringsMessage => Content is not null || Attachments.Count > 0;

    public required IReadOnlyList<ToolAnswer> Results { get; init; }

    /// <summary>True when tools were sent: on a continued turn they replace the earlier ones.</summary>
    public required bool BringsTools { get; init; }

    public required string OnBusy { get; init; }
    public required bool Stream { get; init; }
    public required TurnOptions Options { get; init; }

    public static MessageDraft From(MessageRequest request, FieldErrors errors)
    {
        var results = Answers(request.ToolResults.Value, errors);
        errors.Text("content", request.Content.Value, ContentLimit);
        var attachments = AttachmentDraft.From(request.Attachments.Value, errors);
        if (string.IsNullOrWhiteSpace(request.Content.Value) && results.Count == 0 && attachments.Count == 0) errors.Add("content", "is required");
        errors.OneOf("onBusy", request.OnBusy.Value, "reject", "queue", "interrupt");
        return new()
        {
            Content = string.IsNullOrWhiteSpace(request.Content.Value) ? null : request.Content.Value,
            Attachments = attachments,
            Results = results,
            BringsTools = request.Tools.IsSet,
            OnBusy = request.OnBusy.Value ?? "reject",
            Stream = request.Stream.Value ?? true,
            Options = OptionsOf(request, errors),
        };
    }

    private static TurnOptions OptionsOf(MessageRequest request, FieldErrors errors)
    {
        errors.Text("modelOverride", request.ModelOverride.Value, 200, min: 1);
        errors.Text("senderName", request.SenderName.Value, 200);
        errors.Text("senderId", request.SenderId.Value, 255);
        errors.OneOf("onDisconnect", request.OnDisconnect.Value, "cancel", "continue");
        errors.Object("metadata", request.Metadata.Value, FieldRules.MetadataBytes);
        var options = new TurnOptions
        {
            Model = request.ModelOverride.Value,
            SenderName = request.SenderName.Value,
            SenderId = request.SenderId.Value,
            Profile = request.ToolProfile.Value,
            Overlay = ThreadFields.Overlay(errors, "systemPromptOverlay", request.SystemPromptOverlay.Value),
            Bindings = request.ResourceBindings.Value is { } bindings ? ThreadFields.Bindings(errors, "resourceBindings", bindings) : null,
            ContinueOnDisconnect = request.OnDisconnect.Value == "continue",
            Tools = ToolsOf(request.Tools.Value, errors),
            FallbackModels = Fallbacks(request.AnthropicOverrides.Value?.FallbackModels.Value, errors),
            Anthropic = AnthropicOf(request.AnthropicOverrides.Value, errors),
            OpenAI = OpenAIOf(request.OpenaiOverrides.Value, errors),
            Overrides = OverridesOf(request, errors),
            Format = ResponseFormat.From(request.ResponseFormat.Value, errors),
            Metadata = request.Metadata.Value is { ValueKind: JsonValueKind.Object } metadata ? metadata : null,
        };
        return options with { IsPlain = IsPlain(request) };
    }

    private static bool IsPlain(MessageRequest r) => !(r.ModelOverride.IsSet || r.SenderName.IsSet || r.SenderId.IsSet || r.ToolProfile.IsSet || r.SystemPromptOverlay.IsSet
        || r.ResourceBindings.IsSet || r.OnDisconnect.IsSet || r.Tools.IsSet || r.AnthropicOverrides.IsSet || r.OpenaiOverrides.IsSet || r.WebOverrides.IsSet
        || r.MemoryOverrides.IsSet || r.ComputerOverrides.IsSet || r.PlanOverrides.IsSet || r.ResponseFormat.IsSet || r.Metadata.IsSet);

    private static IReadOnlyList<ClientTool> ToolsOf(List<ClientToolRequest?>? tools, FieldErrors errors)
    {
        if (tools is null) return [];
        var list = new ClientToolList("tools", errors);
        for (var i = 0; i < tools.Count; i++)
        {
            var tool = tools[i] ?? throw ApiException.BadRequest($"tools[{i}]: must be an object");
            list.Add($"tools[{i}]", tool.Name.Value, tool.Description.Value, tool.Parameters.Value);
        }
        return list.Tools;
    }

    private static List<ToolAnswer> Answers(List<ToolResultRequest?>? results, FieldErrors errors)
    {
        var answers = new List<ToolAnswer>();
        for (var i = 0; i < results?.Count; i++)
        {
            var item = results[i] ?? throw ApiException.BadRequest($"toolResults[{i}]: must be an object");
            var id = item.ToolCallId.Value ?? item.Id.Value;
            var value = item.Result.IsSet ? item.Result : item.Output.IsSet ? item.Output : item.Content;
            if (string.IsNullOrEmpty(id)) errors.Add($"toolResults[{i}].toolCallId", "is required");
            else if (answers.Exists(a => a.CallId == id)) errors.Add($"toolResults[{i}].toolCallId", "is answered twice");
            if (!value.IsSet) errors.Add($"toolResults[{i}].result", "is required");
            var content = !value.IsSet ? "" : value.Value.ValueKind switch
            {
                JsonValueKind.Undefined => "null",
                JsonValueKind.String => value.Value.GetString()!.Replace('\0', '\uFFFD'),
                _ => value.Value.GetRawText(),
            };
            if (content.Length > ResultLimit) errors.Add($"toolResults[{i}].result", "has more than 1 MB");
            answers.Add(new(id ?? "", content, item.IsError.Value ?? false));
        }
        return answers;
    }

    private static List<string> Fallbacks(List<string?>? models, FieldErrors errors)
    {
        if (models is null) return [];
        if (models.Count > MaxFallbacks) errors.Add("anthropicOverrides.fallbackModels", $"has more than {MaxFallbacks} models");
        for (var i = 0; i < models.Count; i++) errors.Required($"anthropicOverrides.fallbackModels[{i}]", models[i], 200);
        return models.OfType<string>().ToList();
    }

    private static AnthropicSettings AnthropicOf(AnthropicOverridesRequest? overrides, FieldErrors errors)
    {
        var (thinking, cache) = (overrides?.Thinking.Value, overrides?.Cache.Value);
        errors.Range("anthropicOverrides.thinking.budgetTokens", thinking?.BudgetTokens.Value, 1_024, 1_000_000);
        errors.OneOf("anthropicOverrides.cache.ttl", cache?.Ttl.Value, "5m", "1h");
        return new()
        {
            ThinkingBudgetTokens = thinking?.Enabled.Value == true ? thinking.BudgetTokens.Value ?? 10_000 : null,
            CacheDisabled = cache?.Disabled.Value ?? false,
            CacheTtl = cache?.Ttl.Value ?? "5m",
            CacheTools = cache?.CacheTools.Value ?? true,
        };
    }

    private static OpenAISettings OpenAIOf(OpenAIOverridesRequest? overrides, FieldErrors errors)
    {
        errors.Text("openaiOverrides.promptCacheKey", overrides?.PromptCacheKey.Value, 255);
        errors.Text("openaiOverrides.safetyIdentifier", overrides?.SafetyIdentifier.Value, 255);
        return new() { Disabled = overrides?.Disabled.Value ?? false, PromptCacheKey = overrides?.PromptCacheKey.Value, SafetyIdentifier = overrides?.SafetyIdentifier.Value };
    }

    private static Dictionary<string, JsonElement> OverridesOf(MessageRequest request, FieldErrors errors)
    {
        var overrides = new Dictionary<string, JsonElement>();
        Add("web", "webOverrides", request.WebOverrides);
        Add("memory", "memoryOverrides", request.MemoryOverrides);
        Add("computer", "computerOverrides", request.ComputerOverrides);
        Add("plan", "planOverrides", request.PlanOverrides);
        if (overrides.TryGetValue("plan", out var plan)) CheckMode(plan, errors);
        return overrides;

        void Add(string feature, string field, Optional<JsonElement?> value)
        {
            if (value.Value is not { ValueKind: not JsonValueKind.Null } config) return;
            if (config.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest($"{field}: must be an object");
            if (config.TryGetProperty("enabled", out var enabled) && enabled.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) throw ApiException.BadRequest($"{field}.enabled: must be true or false");
            overrides[feature] = config;
        }
    }

    private static void CheckMode(JsonElement plan, FieldErrors errors)
    {
        if (plan.TryGetProperty("mode", out var mode))
        {
            if (mode.ValueKind != JsonValueKind.String) throw ApiException.BadRequest("planOverrides.mode: must be a string");
            errors.OneOf("planOverrides.mode", mode.GetString(), "off", "plan", "execute");
        }
        if ((plan.TryGetProperty("planMode", out var flag) || plan.TryGetProperty("plan_mode", out flag)) && flag.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            throw ApiException.BadRequest("planOverrides.planMode: must be true or false");
    }
}
