using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Tools;

/// <summary>Creates a webhook tool, or changes the fields that are sent. <c>null</c> clears a nullable field and restores the default of any other.</summary>
public sealed record ToolRequest
{
    /// <summary><c>^[A-Za-z0-9_-]{1,64}$</c> without <c>__</c>, unique in the organisation, not the name of a built-in tool. Required on creation.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>Tells the model when to use it; 1 to 4,000 characters. Required on creation.</summary>
    public Optional<string> Description { get; init; }
    /// <summary>http or https address that is called. Required on creation.</summary>
    public Optional<string> Url { get; init; }
    /// <summary>JSON Schema of the arguments with root type <c>object</c>, at most 64 KB; default <c>{"type":"object","properties":{}}</c>.</summary>
    public Optional<JsonElement?> Parameters { get; init; }
    /// <summary>1,000 to 120,000, default 30,000; for the whole call, retries included.</summary>
    public Optional<int?> TimeoutMs { get; init; }
    /// <summary>Headers of every call, name to value, at most 20. Write-only; <c>X-Flapjack-*</c>, <c>Host</c>, <c>Content-*</c> and what frames a request are refused.</summary>
    public Optional<Dictionary<string, string?>> Headers { get; init; }
    /// <summary>Signing secret of its own, 16 to 200 characters. Write-only; null = the organisation's.</summary>
    public Optional<string> Secret { get; init; }
    /// <summary>0 (default) to 3: how often a call is repeated that met no connection, 502, 503 or 504.</summary>
    public Optional<int?> Retries { get; init; }
    /// <summary>True: after a crash of the server a call may be sent again, with the same <c>Idempotency-Key</c>. False (default): it is never sent twice.</summary>
    public Optional<bool?> Idempotent { get; init; }
    /// <summary>False: no agent is offered it. Default true.</summary>
    public Optional<bool?> Enabled { get; init; }
    /// <summary>UUID of an agent to attach the new tool to; ignored on change.</summary>
    public Optional<string> AgentId { get; init; }
    /// <summary>Organisation for callers of several; ignored on change.</summary>
    public Optional<string> OrgId { get; init; }
}

/// <summary>A webhook tool.</summary>
public sealed record ToolResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>Owning organisation.</summary>
    public required Guid OrgId { get; init; }
    /// <summary>What models call.</summary>
    public required string Name { get; init; }
    /// <summary>Tells models when to use it.</summary>
    public required string Description { get; init; }
    /// <summary>The address that is called.</summary>
    public required string Url { get; init; }
    /// <summary>JSON Schema of the arguments.</summary>
    public required JsonElement Parameters { get; init; }
    /// <summary>Time limit of a call.</summary>
    public required int TimeoutMs { get; init; }
    /// <summary>Names of its headers; their values are never shown.</summary>
    public required IReadOnlyList<string> HeaderNames { get; init; }
    /// <summary>Whether it has a signing secret of its own.</summary>
    public required bool HasSecret { get; init; }
    /// <summary>How often a call may be repeated.</summary>
    public required int Retries { get; init; }
    /// <summary>Whether a call may be sent again after a crash.</summary>
    public required bool Idempotent { get; init; }
    /// <summary>Whether agents are offered it.</summary>
    public required bool Enabled { get; init; }
    /// <summary>Time of creation, UTC.</summary>
    public required DateTime CreatedAt { get; init; }
    /// <summary>Time of the last change, UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    internal static ToolResponse From(WebhookTool tool) => new()
    {
        Id = tool.Id,
        OrgId = tool.OrgId,
        Name = tool.Name,
        Description = tool.Description,
        Url = tool.Url,
        Parameters = JsonElement.Parse(tool.Parameters),
        TimeoutMs = tool.TimeoutMs,
        HeaderNames = JsonSerializer.Deserialize<string[]>(tool.HeaderNames)!,
        HasSecret = tool.Secret is not null,
        Retries = tool.Retries,
        Idempotent = tool.Idempotent,
        Enabled = tool.Enabled,
        CreatedAt = tool.CreatedAt,
        UpdatedAt = tool.UpdatedAt,
    };
}

/// <summary>Tries a tool out.</summary>
public sealed record ToolTestRequest
{
    /// <summary>The arguments a model would send; default <c>{}</c>.</summary>
    public Optional<JsonElement?> Arguments { get; init; }
}

/// <summary>What came of a try.</summary>
public sealed record ToolTestResponse
{
    /// <summary>Whether a model would have got a result.</summary>
    public required bool Ok { get; init; }
    /// <summary>HTTP status of the endpoint; null when no answer came.</summary>
    public required int? Status { get; init; }
    /// <summary>How long the call took.</summary>
    public required long DurationMs { get; init; }
    /// <summary>The result a model would get; null when it failed.</summary>
    public required JsonElement? Result { get; init; }
    /// <summary>The code a model would get instead; null when it went well.</summary>
    public required string? Error { get; init; }
    /// <summary>What goes with the code.</summary>
    public required string? Detail { get; init; }
    /// <summary>The events a client would get.</summary>
    public required IReadOnlyList<ToolTestEvent> Events { get; init; }
}

/// <summary>An event of a stream.</summary>
/// <param name="Event"><c>custom</c> or <c>auth_challenge</c>.</param>
/// <param name="Data">As the stream would carry it.</param>
public sealed record ToolTestEvent(string Event, JsonElement Data);

/// <summary>Names a tool to attach or detach.</summary>
public sealed record AgentToolRequest
{
    /// <summary>UUID of the tool. Required.</summary>
    public Optional<string> ToolId { get; init; }
}

/// <summary>A tool an agent has.</summary>
/// <param name="Id">UUID of the attachment.</param>
/// <param name="AgentId">The agent.</param>
/// <param name="ToolId">The tool.</param>
/// <param name="CreatedAt">When it was attached, UTC.</param>
/// <param name="Tool">What the tool is.</param>
public sealed record AgentToolResponse(Guid Id, Guid AgentId, Guid ToolId, DateTime CreatedAt, ToolSummary Tool)
{
    internal static AgentToolResponse From(AgentTool attached, WebhookTool tool) => new(attached.Id, attached.AgentId, attached.ToolId, attached.CreatedAt, new(tool.Id, tool.Name, tool.Description, "webhook", tool.Enabled ? "active" : "disabled"));
}

/// <summary>What a tool is, in short.</summary>
/// <param name="Id">UUID.</param>
/// <param name="Name">What models call.</param>
/// <param name="Description">Tells models when to use it.</param>
/// <param name="Kind"><c>webhook</c>.</param>
/// <param name="Status"><c>active</c>, or <c>disabled</c>: no agent is offered it.</param>
public sealed record ToolSummary(Guid Id, string Name, string Description, string Kind, string Status);
