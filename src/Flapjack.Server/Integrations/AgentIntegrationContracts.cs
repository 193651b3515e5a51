using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Integrations;

/// <summary>A database to give to an agent.</summary>
public sealed record AgentIntegrationRequest
{
    /// <summary>Id of the integration; required.</summary>
    public Optional<string> IntegrationId { get; init; }
    /// <summary>Tables that are offered, as <c>table</c> of the first schema or <c>schema.table</c>; absent or null = all. At most 500. Names that are not in the cached schema are kept.</summary>
    public Optional<List<string?>> AllowedTables { get; init; }
}

/// <summary>A database to take from an agent.</summary>
public sealed record AgentIntegrationRemovalRequest
{
    /// <summary>Id of the integration; required here or in the query.</summary>
    public Optional<string> IntegrationId { get; init; }
}

/// <summary>A database that an agent was given.</summary>
public sealed record AgentIntegrationResponse
{
    /// <summary>Id of the attachment.</summary>
    public required Guid Id { get; init; }
    /// <summary>The agent.</summary>
    public required Guid AgentId { get; init; }
    /// <summary>The integration.</summary>
    public required Guid IntegrationId { get; init; }
    /// <summary>Tables that are offered; null = all.</summary>
    public required IReadOnlyList<string>? AllowedTables { get; init; }
    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }
    /// <summary>What it is.</summary>
    public required IntegrationSummary Integration { get; init; }

    internal static AgentIntegrationResponse From(AgentIntegration row, Integration integration) => new()
    {
        Id = row.Id,
        AgentId = row.AgentId,
        IntegrationId = row.IntegrationId,
        AllowedTables = row.AllowedTables is { } json ? JsonSerializer.Deserialize<List<string>>(json) : null,
        CreatedAt = row.CreatedAt,
        Integration = new() { Id = integration.Id, Name = integration.Name, Kind = integration.Kind, Status = integration.Status },
    };
}

/// <summary>An integration in short.</summary>
public sealed record IntegrationSummary
{
    /// <summary>Id.</summary>
    public required Guid Id { get; init; }
    /// <summary>Name for people.</summary>
    public required string Name { get; init; }
    /// <summary><c>postgres</c> or <c>supabase</c>.</summary>
    public required string Kind { get; init; }
    /// <summary><c>active</c> or <c>error</c>.</summary>
    public required string Status { get; init; }
}
