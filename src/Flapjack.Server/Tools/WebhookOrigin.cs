using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flapjack.Runtime.Tools;

namespace Flapjack.Server.Tools;

/// <summary>Where a call comes from. The body is the tool's arguments and nothing else, so this travels in headers.</summary>
/// <param name="OrgId">The organisation.</param>
/// <param name="CallId">Id of the call, the same over its retries.</param>
internal sealed record WebhookOrigin(Guid OrgId, string CallId)
{
    private const int LongestId = 128;

    public Guid? AgentId { get; init; }
    public Guid? ThreadId { get; init; }

    /// <summary>The user message that started the turn.</summary>
    public Guid? MessageId { get; init; }

    public string? UserId { get; init; }
    public Guid? RunnerId { get; init; }
    public Guid? RunId { get; init; }
    public string? StepKey { get; init; }

    /// <summary>Resources the conversation is bound to, a JSON array.</summary>
    public string Bindings { get; init; } = "[]";

    /// <summary>The turn or run, which is also the trace.</summary>
    public Guid? TraceId { get; init; }

    /// <summary>The span of the call.</summary>
    public Guid SpanId { get; init; }

    /// <summary>Somebody tries the tool out; no agent has called it.</summary>
    public bool IsTest { get; init; }

    /// <summary>The call of a turn.</summary>
    public static WebhookOrigin Of(ToolContext context) => new(context.Caller.OrgId, context.ToolCallId)
    {
        AgentId = context.Caller.AgentId,
        ThreadId = context.Caller.ThreadId,
        MessageId = context.Caller.UserMessageId,
        UserId = context.Caller.UserId,
        Bindings = context.Caller.Bindings,
        TraceId = context.Caller.TurnId,
        SpanId = context.SpanId,
    };

    /// <summary>One value per call, the same when it is sent again: providers repeat their call ids from turn to turn, so those alone do not do.</summary>
    public string IdempotencyKey => (TraceId ?? RunId) is { } scope ? $"{scope}:{Plain(StepKey is null ? CallId : $"{StepKey}/{CallId}")}" : Plain(CallId);

    /// <summary>Writes the headers.</summary>
    public void AddTo(HttpRequestHeaders headers, string tool)
    {
        Add("X-Flapjack-Tool", tool);
        Add("X-Flapjack-Tool-Call-Id", Plain(CallId));
        Add("X-Flapjack-Org-Id", OrgId.ToString());
        Add("X-Flapjack-Agent-Id", AgentId?.ToString());
        Add("X-Flapjack-Thread-Id", ThreadId?.ToString());
        Add("X-Flapjack-Message-Id", MessageId?.ToString());
        Add("X-Flapjack-User-Id", UserId is null ? null : Uri.EscapeDataString(UserId));
        Add("X-Flapjack-Runner-Id", RunnerId?.ToString());
        Add("X-Flapjack-Run-Id", RunId?.ToString());
        Add("X-Flapjack-Step-Key", StepKey is null ? null : Uri.EscapeDataString(StepKey));
        Add("X-Flapjack-Test", IsTest ? "1" : null);
        Add("Idempotency-Key", IdempotencyKey);
        Add("traceparent", TraceParent);
        if (Bindings != "[]") headers.TryAddWithoutValidation("X-Flapjack-Resource", Resources());

        void Add(string name, string? value)
        {
            if (value is not null) headers.TryAddWithoutValidation(name, value);
        }
    }

    // The exported trace has the turn's id. A span's id is the random half of ours: the other half is a time, equal for spans of one instant.
    private string? TraceParent => TraceId is { } trace && SpanId != Guid.Empty ? $"00-{trace:N}-{SpanId.ToString("N")[16..]}-01" : null;

    private List<string> Resources()
    {
        using var bindings = JsonDocument.Parse(Bindings);
        return [.. bindings.RootElement.EnumerateArray().Select(b => $"{Uri.EscapeDataString(Text(b, "type"))}:{Uri.EscapeDataString(Text(b, "id"))}")];
    }

    private static string Text(JsonElement binding, string name) => binding.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    // Models and providers choose call ids; a header takes neither every character nor any length.
    private static string Plain(string id)
    {
        var escaped = Uri.EscapeDataString(id);
        return escaped.Length <= LongestId ? escaped : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)));
    }
}
