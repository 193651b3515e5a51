using System.Text.Json;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Tools;

/// <summary>A tool of an organisation that an endpoint of its application runs.</summary>
internal sealed class WebhookTool : ITenantRow
{
    public const int DefaultTimeoutMs = 30_000;
    public const string AnyArguments = """{"type":"object","properties":{}}""";

    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }

    /// <summary>What models call; unique in the organisation.</summary>
    public required string Name { get; set; }

    /// <summary>Tells models when to use it.</summary>
    public required string Description { get; set; }

    public required string Url { get; set; }

    /// <summary>JSON Schema of the arguments.</summary>
    public string Parameters { get; set; } = AnyArguments;

    public int TimeoutMs { get; set; } = DefaultTimeoutMs;

    /// <summary>Encrypted JSON object name → value; null = none.</summary>
    public string? Headers { get; set; }

    /// <summary>JSON array of the header names, which may be shown.</summary>
    public string HeaderNames { get; set; } = "[]";

    /// <summary>Encrypted signing secret of its own; null = the organisation's.</summary>
    public string? Secret { get; set; }

    public int Retries { get; set; }

    /// <summary>A call may be made again after a crash.</summary>
    public bool Idempotent { get; set; }

    public bool Enabled { get; set; } = true;
    public required DateTime CreatedAt { get; init; }
    public required DateTime UpdatedAt { get; set; }

    public void SetSecret(string? secret, SecretBox box) => Secret = secret is null ? null : box.Seal(secret, Place("secret"));

    public void SetHeaders(IReadOnlyDictionary<string, string> headers, SecretBox box)
    {
        Headers = headers.Count == 0 ? null : box.Seal(JsonSerializer.Serialize(headers), Place("headers"));
        HeaderNames = JsonSerializer.Serialize(headers.Keys);
    }

    /// <summary>How the tool is called. Throws <see cref="System.Security.Cryptography.CryptographicException"/> when its secrets cannot be read.</summary>
    public WebhookTarget TargetOf(SecretBox box) => new(new Uri(Url))
    {
        Secret = Secret is null ? null : box.Open(Secret, Place("secret")),
        Timeout = TimeSpan.FromMilliseconds(TimeoutMs),
        Retries = Retries,
        Headers = Headers is null ? new() : JsonSerializer.Deserialize<Dictionary<string, string>>(box.Open(Headers, Place("headers")))!,
    };

    private string Place(string field) => $"{OrgId}/tools/{Id}/{field}";
}

/// <summary>An agent has a tool.</summary>
internal sealed class AgentTool : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }
    public required Guid AgentId { get; init; }
    public required Guid ToolId { get; init; }
    public required DateTime CreatedAt { get; init; }
}

internal sealed class WebhookToolMapping : IEntityTypeConfiguration<WebhookTool>
{
    public void Configure(EntityTypeBuilder<WebhookTool> builder)
    {
        builder.ToTable("tools");
        builder.HasKey(t => t.Id);
        builder.HasIndex(t => new { t.OrgId, t.Name }).IsUnique();
    }
}

internal sealed class AgentToolMapping : IEntityTypeConfiguration<AgentTool>
{
    public void Configure(EntityTypeBuilder<AgentTool> builder)
    {
        builder.ToTable("agent_tools");
        builder.HasKey(a => a.Id);
        builder.HasIndex(a => new { a.AgentId, a.ToolId }).IsUnique();
        builder.HasIndex(a => a.ToolId);
    }
}
