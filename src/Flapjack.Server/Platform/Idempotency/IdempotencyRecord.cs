using Flapjack.Server.Platform.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Flapjack.Server.Platform.Idempotency;

/// <summary>The first answer to a request with an <c>Idempotency-Key</c>, kept for 24 hours to be given again.</summary>
internal sealed class IdempotencyRecord : ITenantRow
{
    public required Guid Id { get; init; }
    public required Guid OrgId { get; init; }

    /// <summary>SHA-256 over caller, method, path and key.</summary>
    public required string Scope { get; init; }

    /// <summary>SHA-256 over the request body.</summary>
    public required string BodyHash { get; init; }

    public required DateTime CreatedAt { get; init; }

    /// <summary>Null while the first request is still running.</summary>
    public int? Status { get; set; }

    public string? ContentType { get; set; }

    /// <summary>The answer, encrypted: it may hold a new key.</summary>
    public byte[]? Body { get; set; }

    /// <summary>The turn a streamed answer belongs to; its events are the answer.</summary>
    public Guid? TurnId { get; set; }
}

internal sealed class IdempotencyRecordMapping : IEntityTypeConfiguration<IdempotencyRecord>
{
    public void Configure(EntityTypeBuilder<IdempotencyRecord> builder)
    {
        builder.ToTable("idempotency_records");
        builder.HasIndex(r => r.Scope).IsUnique();
        builder.HasIndex(r => r.CreatedAt);
    }
}
