using System.Text.Json;
using Flapjack.Server.Mcp.Tools;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Mcp;

/// <summary>A server of tools that an organisation has connected.</summary>
internal sealed class McpServer : ITenantRow
{
    public const string Pending = "pending", Active = "active", Failed = "error", NeedsAuth = "needs_auth", Disabled = "disabled";

    /// <summary>Who may change one, and so bring its authorisation to an end.</summary>
    public const Role Editors = Role.Member;

    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required string Name { get; set; }

    /// <summary>Begins the names of its tools. Made from the first name and never changed: prompts and profiles speak of it.</summary>
    public required string Slug { get; init; }

    /// <summary>One of <see cref="McpTransports"/>.</summary>
    public required string Transport { get; set; }

    public string? Url { get; set; }
    public string? Command { get; set; }

    /// <summary>JSON array.</summary>
    public string Args { get; set; } = "[]";

    /// <summary>Encrypted <see cref="McpCredentials"/>.</summary>
    public string? Credentials { get; set; }

    /// <summary>What <see cref="Credentials"/> holds: <c>none</c>, <c>headers</c> or <c>env</c>.</summary>
    public string CredentialKind { get; set; } = McpCredentials.None;

    /// <summary>JSON array; null lets every tool through.</summary>
    public string? AllowedTools { get; set; }

    public string? ManagedProvider { get; set; }

    /// <summary>The skill that made it and alone may change it.</summary>
    public Guid? SkillId { get; init; }

    public bool Enabled { get; set; } = true;

    /// <summary>How the last attempt to reach it went.</summary>
    public string Status { get; set; } = Pending;

    public string? LastError { get; set; }

    /// <summary>JSON of the last listing, see <see cref="ListedTool"/>.</summary>
    public string Tools { get; set; } = ListedTool.NoTools;

    public DateTime? ToolsCachedAt { get; set; }

    /// <summary>Counts the changes of how it is reached. What was learnt under another count is not stored, connections made under it are not used.</summary>
    public int Revision { get; set; }

    /// <summary>Encrypted: how to ask its authorisation server.</summary>
    public string? OauthClient { get; set; }

    /// <summary>Encrypted: what the authorisation server gave.</summary>
    public string? OauthTokens { get; set; }

    public string? OauthScope { get; set; }
    public DateTime? OauthExpiresAt { get; set; }
    public DateTime? OauthRefreshedAt { get; set; }
    public string? OauthError { get; set; }

    /// <summary>Counts the tokens, so that of two nodes that refresh one finds the other's.</summary>
    public int OauthVersion { get; set; }

    /// <summary>Until when a node has the refreshing to itself.</summary>
    public DateTime? OauthLease { get; set; }

    public required DateTime CreatedAt { get; init; }
    public required DateTime UpdatedAt { get; set; }

    /// <summary>As the wire says it.</summary>
    public string ShownStatus => Enabled ? Status : Disabled;

    public bool HasCredentials => CredentialKind != McpCredentials.None || OauthTokens is not null;

    public string Auth => OauthTokens is not null || OauthClient is not null && CredentialKind == McpCredentials.None ? "oauth" : CredentialKind;

    public IReadOnlyList<string>? AllowedNames => NamesIn(AllowedTools);

    /// <summary>How it is reached. Tokens are for one way only: another one makes <see cref="Forget"/> necessary.</summary>
    public (string Transport, string? Url, string? Command, string Args, string? ManagedProvider) Way => (Transport, Url, Command, Args, ManagedProvider);

    /// <summary>It is reached in another way from now on: what was learnt of the old one is forgotten.</summary>
    public void Forget()
    {
        (Status, LastError, Tools, ToolsCachedAt) = (Pending, null, ListedTool.NoTools, null);
        (OauthClient, OauthTokens, OauthScope, OauthExpiresAt, OauthRefreshedAt, OauthError) = (null, null, null, null, null, null);
        OauthVersion++;
    }

    /// <summary>What a secret of a server is bound to.</summary>
    public static string Place(Guid orgId, Guid id, string field) => $"{orgId}/mcps/{id}/{field}";

    internal static IReadOnlyList<string>? NamesIn(string? json) => json is null ? null : JsonSerializer.Deserialize<List<string>>(json);
}

internal static class McpTransports
{
    public const string StreamableHttp = "streamable_http", Sse = "sse", Stdio = "stdio";
}

/// <summary>That an agent has a server's tools.</summary>
internal sealed class McpAttachment : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid AgentId { get; init; }
    public required Guid McpServerId { get; init; }

    /// <summary>JSON array; null lets every tool of the server through.</summary>
    public string? AllowedTools { get; set; }

    public required DateTime CreatedAt { get; init; }
}

internal sealed class McpServerMapping : IEntityTypeConfiguration<McpServer>
{
    public void Configure(EntityTypeBuilder<McpServer> builder)
    {
        builder.ToTable("mcp_servers");
        builder.HasIndex(s => new { s.OrgId, s.Slug }).IsUnique();
        builder.Ignore(s => s.ShownStatus).Ignore(s => s.HasCredentials).Ignore(s => s.Auth).Ignore(s => s.AllowedNames).Ignore(s => s.Way);
    }
}

internal sealed class McpAttachmentMapping : IEntityTypeConfiguration<McpAttachment>
{
    public void Configure(EntityTypeBuilder<McpAttachment> builder)
    {
        builder.ToTable("mcp_attachments");
        builder.HasIndex(a => new { a.AgentId, a.McpServerId }).IsUnique();
        builder.HasIndex(a => a.McpServerId);
    }
}
