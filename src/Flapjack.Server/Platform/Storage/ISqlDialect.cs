namespace Flapjack.Server.Platform.Storage;

/// <summary>The little that a statement has to spell differently on each database.</summary>
internal interface ISqlDialect
{
    /// <summary>An expression whose value is the id that the text expression <paramref name="text"/> spells.</summary>
    string Id(string text);
}
