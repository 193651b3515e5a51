namespace Flapjack.Server.Models;

/// <summary>Keys of providers that are not the platform's, for the requests of one turn.</summary>
internal interface IModelKeys
{
    /// <summary>The key of the next request; null when nobody brings any. Throws <see cref="Runtime.Models.ModelException"/> when the request must not be made.</summary>
    ValueTask<ModelKey?> FindAsync(ModelChoice choice, CancellationToken cancellationToken);

    /// <summary>The provider did not take the key.</summary>
    void Refused(ModelChoice choice);
}

/// <summary>A key for one request.</summary>
/// <param name="ApiKey">Null = the platform's own.</param>
/// <param name="Source"><c>byok</c> or <c>platform</c>, as traces say it.</param>
internal sealed record ModelKey(string? ApiKey, string Source)
{
    public const string Byok = "byok", Platform = "platform";

    /// <summary>A record's own text would print the key.</summary>
    public override string ToString() => Source;
}
