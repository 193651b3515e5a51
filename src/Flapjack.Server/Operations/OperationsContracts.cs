using System.Text.Json.Serialization;

namespace Flapjack.Server.Operations;

/// <summary>The process lives.</summary>
/// <param name="Status">Always <c>ok</c>.</param>
public sealed record HealthResponse(string Status);

/// <summary>Whether this node can serve.</summary>
public sealed record ReadinessResponse
{
    /// <summary><c>ready</c>, <c>draining</c> or <c>unavailable</c>.</summary>
    public required string Status { get; init; }
    /// <summary><c>ok</c> or <c>failed</c> per check: <c>database</c>, <c>migrations</c>, <c>storage</c>.</summary>
    public required IReadOnlyDictionary<string, string> Checks { get; init; }
    /// <summary><c>SERVICE_UNAVAILABLE</c> when not ready; else absent.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }
    /// <summary>Names what failed; absent when ready.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Detail { get; init; }
}

/// <summary>What answers here.</summary>
public sealed record VersionResponse
{
    /// <summary>Name of the product.</summary>
    public required string Name { get; init; }
    /// <summary>Semantic version of this server.</summary>
    public required string Version { get; init; }
    /// <summary>State of the public API documentation that it follows.</summary>
    public required string Compat { get; init; }
    /// <summary>What this installation offers.</summary>
    public required VersionFeatures Features { get; init; }
}

/// <summary>What an installation offers.</summary>
public sealed record VersionFeatures
{
    /// <summary><c>open</c>, <c>invite</c> or <c>closed</c>.</summary>
    public required string Signup { get; init; }
    /// <summary>True when the demo key is accepted.</summary>
    public required bool Demo { get; init; }
    /// <summary>True when agents can have a computer.</summary>
    public required bool Computer { get; init; }
    /// <summary>How MCP servers on standard input and output run: <c>sandbox</c>, <c>host</c> or <c>off</c>.</summary>
    public required string StdioMcp { get; init; }
    /// <summary>True when knowledge is also searched by meaning.</summary>
    public required bool Embeddings { get; init; }
    /// <summary>Issuers whose tokens are accepted.</summary>
    public required IReadOnlyList<string> Oidc { get; init; }
}
