using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flapjack.Providers;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;

namespace Flapjack.Server.Logs;

/// <summary>Names and attributes of spans by OpenTelemetry's semantic conventions for generative AI (https://opentelemetry.io/docs/specs/semconv/gen-ai/).</summary>
internal static class GenAiTags
{
    public static string NameOf(TurnSpan span) => span.Kind switch
    {
        "llm" => $"chat {span.Name}",
        "embedding" => $"embeddings {span.Name}",
        "agent" => $"invoke_agent {span.Name}",
        "tool" or "mcp" or "webhook" => $"execute_tool {span.Name}",
        _ => span.Name,
    };

    public static void Root(Activity activity, TurnTrace trace, bool content)
    {
        activity.SetTag("gen_ai.operation.name", "invoke_agent");
        activity.SetTag("gen_ai.agent.name", trace.AgentName);
        if (trace.AgentId is { } agent) activity.SetTag("gen_ai.agent.id", agent.ToString());
        activity.SetTag("gen_ai.provider.name", ProviderOf(trace.Model));
        activity.SetTag("gen_ai.request.model", trace.Model);
        activity.SetTag("flapjack.trace.name", trace.Name);
        activity.SetTag("flapjack.org.id", trace.OrgId.ToString());
        if (trace.UserId is not null) activity.SetTag("enduser.id", trace.UserId);
        if (trace.CostUsd is { } cost) activity.SetTag("flapjack.cost_usd", (double)cost);
        Common(activity, trace, trace.Error);
        Usage(activity, trace.Usage);
        if (!content) return;
        if (Text(trace.Input) is { } asked) activity.SetTag("gen_ai.input.messages", Messages([Message("user", asked)]));
        if (Text(trace.Output) is { } answered) activity.SetTag("gen_ai.output.messages", Messages([Message("assistant", answered)]));
    }

    public static void Of(Activity activity, TurnSpan span, TurnTrace trace, bool content)
    {
        Common(activity, trace, span.Error);
        if (span.Model is { } model) Model(activity, model);
        switch (span.Kind)
        {
            case "llm":
                activity.SetTag("gen_ai.operation.name", "chat");
                if (content) Conversation(activity, span);
                break;
            case "embedding":
                activity.SetTag("gen_ai.operation.name", "embeddings");
                break;
            case "agent":
                activity.SetTag("gen_ai.operation.name", "invoke_agent");
                activity.SetTag("gen_ai.agent.name", span.Name);
                break;
            case "tool" or "mcp" or "webhook":
                activity.SetTag("gen_ai.operation.name", "execute_tool");
                activity.SetTag("gen_ai.tool.name", span.Name);
                activity.SetTag("gen_ai.tool.type", span.Kind == "tool" ? "function" : "extension");
                if (content && span.Input is { } arguments) activity.SetTag("gen_ai.tool.call.arguments", arguments.GetRawText());
                if (content && span.Output is { } result) activity.SetTag("gen_ai.tool.call.result", result.GetRawText());
                // What the called endpoint was told as its parent: activities choose their own ids.
                if (span.Kind == "webhook") activity.SetTag("flapjack.span.id", span.Id.ToString("N")[16..]);
                break;
        }
    }

    private static void Common(Activity activity, TurnTrace trace, string? error)
    {
        if (trace.ThreadId is { } thread) activity.SetTag("gen_ai.conversation.id", thread.ToString());
        if (error is null) return;
        activity.SetTag("error.type", error);
        activity.SetStatus(ActivityStatusCode.Error, error);
    }

    private static void Model(Activity activity, ModelCall model)
    {
        activity.SetTag("gen_ai.provider.name", ProviderOf(model.Model));
        activity.SetTag("gen_ai.request.model", model.Model);
        if (model.Temperature is { } temperature) activity.SetTag("gen_ai.request.temperature", (double)temperature);
        if (model.MaxTokens is { } limit) activity.SetTag("gen_ai.request.max_tokens", limit);
        if (model.CostUsd is { } cost) activity.SetTag("flapjack.cost_usd", (double)cost);
        Usage(activity, model.Usage);
    }

    private static void Usage(Activity activity, ModelUsage usage)
    {
        activity.SetTag("gen_ai.usage.input_tokens", usage.InputTokens);
        activity.SetTag("gen_ai.usage.output_tokens", usage.OutputTokens);
        if (usage.CacheReadTokens > 0) activity.SetTag("gen_ai.usage.cache_read.input_tokens", usage.CacheReadTokens);
        if (usage.CacheWriteTokens > 0) activity.SetTag("gen_ai.usage.cache_creation.input_tokens", usage.CacheWriteTokens);
    }

    private static string ProviderOf(string model) => ModelCatalog.Find(model)?.Vendor ?? (model.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash ? model[..slash] : model);

    private static void Conversation(Activity activity, TurnSpan span)
    {
        if (span.Input is { ValueKind: JsonValueKind.Array } input) activity.SetTag("gen_ai.input.messages", Messages([.. input.EnumerateArray().Select(Message)]));
        if (span.Output is { ValueKind: JsonValueKind.Object } output)
        {
            var answer = Message("assistant", Text(output), output);
            if (output.TryGetProperty("finish_reason", out var reason) && reason.ValueKind == JsonValueKind.String) answer["finish_reason"] = reason.GetString();
            activity.SetTag("gen_ai.output.messages", Messages([answer]));
        }
    }

    private static JsonObject Message(JsonElement message)
    {
        var role = message.ValueKind == JsonValueKind.Object && message.TryGetProperty("role", out var named) ? named.GetString()! : "user";
        return Message(role, Text(message), message);
    }

    /// <summary>A message in the conventions' own form: a role and typed parts.</summary>
    private static JsonObject Message(string role, string? text, JsonElement source = default)
    {
        var parts = new JsonArray();
        var known = source.ValueKind == JsonValueKind.Object;
        if (known && source.TryGetProperty("tool_call_id", out var answered))
            parts.Add(new JsonObject { ["type"] = "tool_call_response", ["id"] = answered.GetString(), ["response"] = text });
        else if (!string.IsNullOrEmpty(text))
            parts.Add(new JsonObject { ["type"] = "text", ["content"] = text });
        if (known && source.TryGetProperty("tool_calls", out var calls) && calls.ValueKind == JsonValueKind.Array)
        {
            foreach (var call in calls.EnumerateArray())
                parts.Add(new JsonObject { ["type"] = "tool_call", ["id"] = Field(call, "id"), ["name"] = Field(call, "name"), ["arguments"] = Field(call, "arguments") });
        }
        return new JsonObject { ["role"] = role, ["parts"] = parts };
    }

    private static string? Field(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string? Text(JsonElement? json) => json switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        { ValueKind: JsonValueKind.Object } value when value.TryGetProperty("content", out var content) => content.ValueKind == JsonValueKind.String ? content.GetString() : content.GetRawText(),
        { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } other => other.GetRawText(),
        _ => null,
    };

    private static string Messages(IEnumerable<JsonObject> messages) => new JsonArray([.. messages]).ToJsonString();
}
