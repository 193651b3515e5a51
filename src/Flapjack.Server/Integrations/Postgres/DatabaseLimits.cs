namespace Flapjack.Server.Integrations.Postgres;

/// <summary>What one use of a customer's database may take.</summary>
internal sealed record DatabaseLimits
{
    /// <summary>For one address of the host.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The database ends a statement after this.</summary>
    public TimeSpan Statement { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For everything, whatever the other side does.</summary>
    public TimeSpan Total { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Of one integration on one node.</summary>
    public int Connections { get; init; } = 4;

    /// <summary>An unused connection is closed after this.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>UTF-8 bytes of rows in one result; what is more fits neither the event nor the model.</summary>
    public int ResultBytes { get; init; } = 60_000;

    /// <summary>Of what one inspection holds in memory.</summary>
    public int SchemaCharacters { get; init; } = 4_000_000;

    public const int CellCharacters = 4_000;
    public const int Tables = 1_000;
    public const int Columns = 20_000;
}
