namespace Flapjack.Server.Platform.Settings;

/// <summary>How documents are cut, embedded and kept.</summary>
/// <param name="ChunkTokens">Size of a chunk.</param>
/// <param name="ChunkOverlap">How much of a chunk stands in the next one too.</param>
/// <param name="Embedding">Turns texts into vectors; null = search by words only.</param>
/// <param name="MaxDocumentsPerScope">Documents of one organisation, agent or thread.</param>
/// <param name="Workers">Documents that are read at a time, on each node.</param>
/// <param name="MemoryBytes">What the vectors in memory may take on each node.</param>
internal sealed record KnowledgeSettings(int ChunkTokens, int ChunkOverlap, EmbeddingName? Embedding, int MaxDocumentsPerScope, int Workers, long MemoryBytes)
{
    public static KnowledgeSettings Read(SettingsReader s)
    {
        var settings = new KnowledgeSettings(
            s.Integer("Knowledge:ChunkTokens", 800, 50, 8_000),
            s.Integer("Knowledge:ChunkOverlap", 100, 0, 4_000),
            s.Text("Knowledge:EmbeddingModel") is { } name ? EmbeddingName.Of(name) : null,
            s.Integer("Knowledge:MaxDocumentsPerScope", 10_000, 1, 1_000_000),
            s.Integer("Knowledge:Workers", 2, 1, 64),
            s.Integer("Knowledge:MemoryMegabytes", 256, 1, 1_048_576) * 1_048_576L);
        if (settings.ChunkOverlap > settings.ChunkTokens / 2) s.Refuse("Knowledge:ChunkOverlap", "must be at most half of Knowledge:ChunkTokens");
        if (settings.Embedding is { IsValid: false }) s.Refuse("Knowledge:EmbeddingModel", "must be <provider>/<model>, such as openai/text-embedding-3-small; the one built in is flapjack-offline/words");
        return settings;
    }
}

/// <summary>An embedding model: <c>&lt;provider&gt;/&lt;model&gt;</c>. A bare name is OpenAI's.</summary>
internal sealed record EmbeddingName(string Provider, string Model)
{
    public const string Offline = "flapjack-offline", OfflineModel = "words";

    public bool IsOffline => Provider == Offline;

    public bool IsValid => ProviderNames.IsValid(Provider) && Model.Length is > 0 and <= 200 && (!IsOffline || Model == OfflineModel);

    public static EmbeddingName Of(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? new("openai", text) : new(text[..slash].ToLowerInvariant(), text[(slash + 1)..]);
    }

    public override string ToString() => $"{Provider}/{Model}";
}
