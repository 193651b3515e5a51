namespace Flapjack.Client;

/// <summary>What answers here.</summary>
public sealed record ServerVersion
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
