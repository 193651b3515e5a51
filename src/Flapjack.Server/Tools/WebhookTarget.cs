namespace Flapjack.Server.Tools;

/// <summary>An application's endpoint that runs tools, and how it is to be called.</summary>
internal sealed record WebhookTarget(Uri Address)
{
    /// <summary>What requests are signed with; null = the organisation's signing secret.</summary>
    public string? Secret { get; init; }

    /// <summary>For the whole call, redirects and retries included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a call is repeated that met no connection, 502, 503 or 504.</summary>
    public int Retries { get; init; }

    /// <summary>Further headers of every request.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>A record's own text would print the secrets.</summary>
    public override string ToString() => Address.ToString();
}
