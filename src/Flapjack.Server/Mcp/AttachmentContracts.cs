using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Mcp;

/// <summary>A server to give to an agent, or to take from it.</summary>
public sealed record McpAttachmentRequest
{
    /// <summary>The server. Required; for a removal it may also stand in the query.</summary>
    public Optional<string> McpServerId { get; init; }
    /// <summary>Names of the tools the agent may have; absent or null = all.</summary>
    public Optional<List<string?>> AllowedTools { get; init; }
}

/// <summary>A server that an agent has.</summary>
/// <param name="Id">UUID of the attachment.</param>
/// <param name="AgentId">The agent.</param>
/// <param name="McpServerId">The server.</param>
/// <param name="AllowedTools">Null = all.</param>
/// <param name="CreatedAt">When it was attached.</param>
/// <param name="Server">The server in short.</param>
public sealed record McpAttachmentResponse(Guid Id, Guid AgentId, Guid McpServerId, IReadOnlyList<string>? AllowedTools, DateTime CreatedAt, McpServerSummary Server)
{
    internal static McpAttachmentResponse From(McpAttachment attachment, McpServer server) =>
        new(attachment.Id, attachment.AgentId, attachment.McpServerId, McpServer.NamesIn(attachment.AllowedTools), attachment.CreatedAt, new(server.Id, server.Name, server.Slug, server.ShownStatus));
}

/// <summary>A server in short.</summary>
/// <param name="Id">UUID.</param>
/// <param name="Name">As people call it.</param>
/// <param name="Slug">With which the names of its tools begin.</param>
/// <param name="Status">As in the server's own object.</param>
public sealed record McpServerSummary(Guid Id, string Name, string Slug, string Status);
