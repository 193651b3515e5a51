namespace Flapjack.Server.Platform.Storage.Postgres;

/// <summary>Ids have a type of their own.</summary>
internal sealed class PostgresDialect : ISqlDialect
{
    public string Id(string text) => $"CAST({text} AS uuid)";
}
