namespace Flapjack.Client;

/// <summary>A stored file.</summary>
public sealed record FlapjackFile
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>As its sender named it, without folders.</summary>
    public required string Name { get; init; }

    /// <summary>By its content; among texts, which look alike, by its name.</summary>
    public required string MediaType { get; init; }

    /// <summary>Bytes.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Lower-case hex of its content's SHA-256.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The thread it was sent to; null when it was sent to none.</summary>
    public Guid? ThreadId { get; init; }

    /// <summary><c>message</c>.</summary>
    public required string Purpose { get; init; }

    /// <summary>When it came, UTC. A file that no message uses goes a day later.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}
