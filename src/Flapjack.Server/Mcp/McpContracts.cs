using System.Text.Json;
using System.Text.Json.Serialization;
using Flapjack.Server.Mcp.Tools;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Mcp;

/// <summary>A server to connect, or changes of one. Fields that are absent stay as they are.</summary>
public sealed record McpServerRequest
{
    /// <summary>1 to 100 characters. Required for a new server.</summary>
    public Optional<string> Name { get; init; }
    /// <summary><c>streamable_http</c>, <c>sse</c> or <c>stdio</c>. Required for a new server unless <c>managedProvider</c> says it.</summary>
    public Optional<string> Transport { get; init; }
    /// <summary>Where the server is, for <c>streamable_http</c> and <c>sse</c>.</summary>
    public Optional<string> Url { get; init; }
    /// <summary>The program to run, for <c>stdio</c>.</summary>
    public Optional<string> Command { get; init; }
    /// <summary>Arguments of the program, at most 64.</summary>
    public Optional<List<string?>> Args { get; init; }
    /// <summary>What the server is shown. Replaces what was stored; null removes it. Never given back.</summary>
    public Optional<McpCredentialsRequest> Credentials { get; init; }
    /// <summary>Names of the tools that agents may have; null = all.</summary>
    public Optional<List<string?>> AllowedTools { get; init; }
    /// <summary>Id from <c>/api/mcp-registry/managed</c>, which brings <c>transport</c> and <c>url</c>.</summary>
    public Optional<string> ManagedProvider { get; init; }
    /// <summary>False takes its tools from every agent; true is the default.</summary>
    public Optional<bool?> Enabled { get; init; }
    /// <summary>The organisation, for users of several.</summary>
    public Optional<string> OrgId { get; init; }
}

/// <summary>Secrets for a server.</summary>
public sealed record McpCredentialsRequest
{
    /// <summary>Header name to value, sent with every request over HTTP.</summary>
    public Optional<Dictionary<string, string?>> Headers { get; init; }
    /// <summary>Variable name to value, for programs.</summary>
    public Optional<Dictionary<string, string?>> Env { get; init; }
}

/// <summary>A connected server.</summary>
public sealed record McpServerResponse
{
    /// <summary>UUID.</summary>
    [JsonPropertyName("id")] public required Guid Id { get; init; }
    /// <summary>As people call it.</summary>
    [JsonPropertyName("name")] public required string Name { get; init; }
    /// <summary>Made from the first name; the names of its tools begin with it.</summary>
    [JsonPropertyName("slug")] public required string Slug { get; init; }
    /// <summary><c>streamable_http</c>, <c>sse</c> or <c>stdio</c>.</summary>
    [JsonPropertyName("transport")] public required string Transport { get; init; }
    /// <summary>Null for <c>stdio</c>.</summary>
    [JsonPropertyName("url")] public required string? Url { get; init; }
    /// <summary>Null except for <c>stdio</c>.</summary>
    [JsonPropertyName("command")] public required string? Command { get; init; }
    /// <summary>Arguments of the program.</summary>
    [JsonPropertyName("args")] public required IReadOnlyList<string> Args { get; init; }
    /// <summary><c>active</c>, <c>pending</c> (never connected), <c>error</c>, <c>needs_auth</c> or <c>disabled</c>.</summary>
    [JsonPropertyName("status")] public required string Status { get; init; }
    /// <summary>Headers, variables or tokens are stored.</summary>
    [JsonPropertyName("hasCredentials")] public required bool HasCredentials { get; init; }
    /// <summary>The last successful listing.</summary>
    [JsonPropertyName("toolsCache")] public required IReadOnlyList<McpToolResponse> ToolsCache { get; init; }
    /// <summary>Null = all.</summary>
    [JsonPropertyName("allowedTools")] public required IReadOnlyList<string>? AllowedTools { get; init; }
    /// <summary><c>none</c>, <c>headers</c>, <c>env</c> or <c>oauth</c>.</summary>
    [JsonPropertyName("auth")] public required string Auth { get; init; }
    /// <summary>Id of the managed provider it was made from.</summary>
    [JsonPropertyName("managedProvider")] public required string? ManagedProvider { get; init; }
    /// <summary>The skill that made it; only the skill changes it.</summary>
    [JsonPropertyName("skillId")] public required Guid? SkillId { get; init; }
    /// <summary>Why it could not be reached, or what was left out of its tools.</summary>
    [JsonPropertyName("lastError")] public required string? LastError { get; init; }
    /// <summary>When the tools were listed.</summary>
    [JsonPropertyName("toolsCachedAt")] public required DateTime? ToolsCachedAt { get; init; }
    /// <summary>False takes its tools from every agent.</summary>
    [JsonPropertyName("enabled")] public required bool Enabled { get; init; }
    /// <summary>The organisation.</summary>
    [JsonPropertyName("orgId")] public required Guid OrgId { get; init; }
    /// <summary>When it was connected.</summary>
    [JsonPropertyName("createdAt")] public required DateTime CreatedAt { get; init; }
    /// <summary>When it was changed.</summary>
    [JsonPropertyName("updatedAt")] public required DateTime UpdatedAt { get; init; }

    internal static McpServerResponse From(McpServer server) => new()
    {
        Id = server.Id,
        Name = server.Name,
        Slug = server.Slug,
        Transport = server.Transport,
        Url = server.Url,
        Command = server.Command,
        Args = McpServer.NamesIn(server.Args)!,
        Status = server.ShownStatus,
        HasCredentials = server.HasCredentials,
        ToolsCache = [.. ListedTool.Read(server.Tools).Select(tool => new McpToolResponse(tool.Name, tool.Description) { InputSchema = tool.InputSchema })],
        AllowedTools = server.AllowedNames,
        Auth = server.Auth,
        ManagedProvider = server.ManagedProvider,
        SkillId = server.SkillId,
        LastError = server.LastError,
        ToolsCachedAt = server.ToolsCachedAt,
        Enabled = server.Enabled,
        OrgId = server.OrgId,
        CreatedAt = server.CreatedAt,
        UpdatedAt = server.UpdatedAt,
    };
}

/// <summary>A tool of a server.</summary>
/// <param name="Name">As the server calls it; agents know it as <c>{slug}__{name}</c>.</param>
/// <param name="Description">What it does, in the server's words.</param>
public sealed record McpToolResponse([property: JsonPropertyName("name")] string Name, [property: JsonPropertyName("description")] string? Description)
{
    /// <summary>JSON Schema of its arguments; not part of a test's answer.</summary>
    [JsonPropertyName("inputSchema"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public JsonElement? InputSchema { get; init; }
}

/// <summary>How a test went.</summary>
public sealed record McpTestResponse
{
    /// <summary>The server answered with its tools.</summary>
    [JsonPropertyName("ok")] public required bool Ok { get; init; }
    /// <summary>The tools; empty after a failure.</summary>
    [JsonPropertyName("tools")] public required IReadOnlyList<McpToolResponse> Tools { get; init; }
    /// <summary><c>CONNECT_FAILED</c>, <c>TIMEOUT</c>, <c>AUTH_REQUIRED</c>, <c>PROTOCOL_ERROR</c> or <c>BLOCKED_ADDRESS</c>; absent after a success.</summary>
    [JsonPropertyName("error"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Error { get; init; }
    /// <summary>More of it, for people.</summary>
    [JsonPropertyName("detail"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] public string? Detail { get; init; }
}
