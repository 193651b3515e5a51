using System.Text.Json;
using Flapjack.Runtime.Models;
using Flapjack.Runtime.Turns;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Threads.Streams;

/// <summary>The events of the wire. Names and casing are the contract's.</summary>
internal static class TurnEventJson
{
    public static void Append(LiveTurn turn, TurnEvent happened)
    {
        switch (happened)
        {
            case TokenEvent token:
                turn.Append("token", token, Token, token.Delta.Length);
                break;
            case ToolCallEvent call:
                turn.Append("tool_call", call, ToolCall);
                break;
            case ToolExecutingEvent executing:
                turn.Append("tool_executing", executing, ToolExecuting);
                break;
            case ToolResultEvent result:
                turn.Append("tool_result", result, ToolResult);
                break;
            case CustomEvent custom:
                turn.Append("custom", custom, Custom);
                break;
            case ClientEvent client:
                turn.Append("client_event", client, Client);
                break;
            case AuthChallengeEvent challenge:
                turn.Append("auth_challenge", challenge, Challenge);
                break;
            case ProfileSwitchProposalEvent proposal:
                turn.Append("profile_switch_proposal", proposal, Proposal);
                break;
        }
    }

    public static void AppendMeta(LiveTurn turn, DateTime startedAt, Guid? userMessageId, string model) => turn.Append("meta", (turn, startedAt, userMessageId, model), static (json, meta) =>
    {
        json.WriteStartObject();
        json.WriteString("startedAt", WireTime.Format(meta.startedAt));
        json.WriteString("turnId", meta.turn.TurnId);
        json.WriteString("threadId", meta.turn.ThreadId);
        if (meta.userMessageId is { } id) json.WriteString("userMessageId", id);
        else json.WriteNull("userMessageId");
        json.WriteString("model", meta.model);
        json.WriteEndObject();
    });

    /// <summary>The terminal event of a stream that waits for its client.</summary>
    public static TerminalEvent RequiresAction(IEnumerable<TurnCall> calls, DateTime expiresAt) => new("requires_action", EventLog.Compose((calls, expiresAt), static (json, action) =>
    {
        json.WriteStartObject();
        json.WriteStartArray("toolCalls");
        foreach (var call in action.calls) WriteCall(json, call.Id, call.Name, call.Arguments);
        json.WriteEndArray();
        json.WriteString("expiresAt", WireTime.Format(action.expiresAt));
        json.WriteEndObject();
    }));

    /// <summary>The terminal event of a stream that failed.</summary>
    public static TerminalEvent Error(string code, string? detail, ModelUsage usage, decimal? cost) => new("error", EventLog.Compose((code, detail, usage, cost), static (json, error) =>
    {
        json.WriteStartObject();
        json.WriteString("code", error.code);
        if (error.detail is not null) json.WriteString("detail", error.detail);
        WriteUsage(json, error.usage, error.cost);
        json.WriteEndObject();
    }));

    public static void Append(LiveTurn turn, TerminalEvent terminal) => turn.Append(terminal.Type, terminal.Data);

    public static void AppendDone(LiveTurn turn, TurnDone done) => turn.Append("done", (turn, done), static (json, end) =>
    {
        var (turn, done) = end;
        json.WriteStartObject();
        json.WriteBoolean("ok", true);
        if (done.MessageId is { } id) json.WriteString("messageId", id);
        json.WriteString("content", done.Content);
        if (done.Stopped) json.WriteBoolean("stopped", true);
        WriteUsage(json, done.Usage, done.CostUsd);
        json.WriteString("turnId", turn.TurnId);
        json.WriteString("finishReason", done.FinishReason);
        if (done.Output is { } output)
        {
            json.WritePropertyName("output");
            WriteCompact(json, output);
        }
        json.WriteEndObject();
    });

    private static void Token(Utf8JsonWriter json, TokenEvent token)
    {
        json.WriteStartObject();
        json.WriteString("delta"u8, token.Delta);
        json.WriteEndObject();
    }

    private static void ToolCall(Utf8JsonWriter json, ToolCallEvent call)
    {
        json.WriteStartObject();
        json.WritePropertyName("tool");
        WriteCall(json, call.Id, call.Name, call.Arguments);
        json.WriteEndObject();
    }

    private static void ToolExecuting(Utf8JsonWriter json, ToolExecutingEvent executing)
    {
        json.WriteStartObject();
        json.WriteString("tool_name", executing.Name);
        json.WriteString("tool_call_id", executing.Id);
        json.WriteEndObject();
    }

    private static void ToolResult(Utf8JsonWriter json, ToolResultEvent result)
    {
        json.WriteStartObject();
        json.WriteString("tool_name", result.Name);
        json.WriteString("tool_call_id", result.Id);
        json.WritePropertyName("result");
        WriteCompact(json, result.Result);
        json.WriteBoolean("is_error", result.IsError);
        json.WriteBoolean("truncated", result.Truncated);
        json.WriteNumber("duration_ms", result.DurationMs);
        json.WriteEndObject();
    }

    private static void Custom(Utf8JsonWriter json, CustomEvent custom)
    {
        json.WriteStartObject();
        json.WriteString("kind", custom.Kind);
        json.WritePropertyName("payload");
        WriteCompact(json, custom.Payload);
        if (custom.ToolCallId is not null) json.WriteString("tool_call_id", custom.ToolCallId);
        json.WriteEndObject();
    }

    private static void Client(Utf8JsonWriter json, ClientEvent client)
    {
        json.WriteStartObject();
        json.WriteString("kind", client.Kind);
        json.WritePropertyName("payload");
        WriteCompact(json, client.Payload);
        json.WriteEndObject();
    }

    private static void Challenge(Utf8JsonWriter json, AuthChallengeEvent happened)
    {
        json.WriteStartObject();
        json.WriteString("toolName", happened.ToolName);
        json.WriteStartObject("challenge");
        json.WriteString("provider", happened.Challenge.Provider);
        json.WriteString("redirectUrl", happened.Challenge.RedirectUrl);
        if (happened.Challenge.Description is { } text) json.WriteString("description", text);
        json.WriteEndObject();
        json.WriteString("toolCallId", happened.ToolCallId);
        json.WriteEndObject();
    }

    private static void Proposal(Utf8JsonWriter json, ProfileSwitchProposalEvent proposal)
    {
        json.WriteStartObject();
        json.WriteString("target", proposal.Target);
        json.WriteString("reason", proposal.Reason);
        json.WriteEndObject();
    }

    private static void WriteCall(Utf8JsonWriter json, string id, string name, string arguments)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteString("name", name);
        json.WriteString("arguments", arguments);
        json.WriteEndObject();
    }

    private static void WriteUsage(Utf8JsonWriter json, ModelUsage usage, decimal? cost)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("input_tokens", usage.InputTokens);
        json.WriteNumber("output_tokens", usage.OutputTokens);
        json.WriteNumber("cache_read_tokens", usage.CacheReadTokens);
        json.WriteNumber("cache_write_tokens", usage.CacheWriteTokens);
        if (cost is { } usd) json.WriteNumber("cost_usd", Money.Round(usd));
        else json.WriteNull("cost_usd");
        json.WriteEndObject();
    }

    // Written value by value: raw text could hold line breaks, and an event is one line.
    private static void WriteCompact(Utf8JsonWriter json, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Undefined) json.WriteNullValue();
        else value.WriteTo(json);
    }
}

/// <summary>A stream's last event, composed before it is sent so that it can be stored first.</summary>
internal sealed record TerminalEvent(string Type, byte[] Data);

/// <summary>How a turn ended well. <paramref name="Output"/> is the value of an answer with a format.</summary>
internal sealed record TurnDone(Guid? MessageId, string Content, bool Stopped, ModelUsage Usage, decimal? CostUsd, string FinishReason, JsonElement? Output);

/// <summary>Money on the wire: US dollars with six decimals.</summary>
internal static class Money
{
    public static decimal Round(decimal usd) => Math.Round(usd, 6) is var rounded && rounded == 0 ? 0 : rounded / 1.000000000000000000000000000000000m;

    public static decimal? Round(double? usd) => usd is { } value ? Round((decimal)value) : null;
}
