namespace Flapjack.Server.Platform.Storage.Sqlite;

/// <summary>Ids are texts in upper case, as the driver writes them.</summary>
internal sealed class SqliteDialect : ISqlDialect
{
    public string Id(string text) => $"UPPER({text})";
}
