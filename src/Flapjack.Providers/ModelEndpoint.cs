namespace Flapjack.Providers;

/// <summary>What a provider speaks.</summary>
public static class ProviderKinds
{
    /// <summary>OpenAI's Responses API.</summary>
    public const string OpenAI = "openai";
    /// <summary>Anthropic's Messages API.</summary>
    public const string Anthropic = "anthropic";
    /// <summary>A server that speaks Chat Completions: Ollama, vLLM, OpenRouter and many more.</summary>
    public const string OpenAICompatible = "openai_compatible";
    /// <summary>A server that speaks Anthropic's Messages API.</summary>
    public const string AnthropicCompatible = "anthropic_compatible";
    /// <summary>The built-in offline model.</summary>
    public const string Flapjack = "flapjack";
}

/// <summary>Where one model is reached and what it can do. Keep an instance as long as its settings hold: <see cref="ChatClients"/> keeps the client of each.</summary>
public sealed record ModelEndpoint
{
    /// <summary>Name of the provider, such as <c>openai</c> or <c>ollama</c>.</summary>
    public required string Provider { get; init; }
    /// <summary>One of <see cref="ProviderKinds"/>.</summary>
    public required string Kind { get; init; }
    /// <summary>Model id the provider knows.</summary>
    public required string ModelId { get; init; }
    /// <summary>Model id as requested, such as <c>ollama/llama3.3</c>; updates carry it. <see cref="ModelId"/> unless set.</summary>
    public string Id { get => field ?? ModelId; init; }
    /// <summary>Base address; null = the vendor's own. For <c>openai_compatible</c> it includes <c>/v1</c>.</summary>
    public Uri? BaseUrl { get; init; }
    /// <summary>Credential; null where none is needed.</summary>
    public string? ApiKey { get; init; }
    /// <summary>Further request headers. They replace those the client would send.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>False: a temperature is not sent.</summary>
    public bool SupportsTemperature { get; init; } = true;
    /// <summary>True: Anthropic thinking may be switched on.</summary>
    public bool SupportsThinking { get; init; }
    /// <summary>True: the vendor can summarise long conversations.</summary>
    public bool SupportsCompaction { get; init; }
    /// <summary>False: a schema for the answer is put into the prompt instead of its own field.</summary>
    public bool SupportsJsonSchema { get; init; } = true;
    /// <summary>True: OpenAI's encrypted reasoning items travel through the tool steps of a turn.</summary>
    public bool KeepsReasoning { get; init; }
    /// <summary>True: the vendor gives the long context only with a beta header.</summary>
    public bool LongContextBeta { get; init; }
    /// <summary>Output limit of the model; null = unknown.</summary>
    public int? MaxOutputTokens { get; init; }

    /// <summary>Endpoint of a catalog model.</summary>
    /// <param name="model">The catalog entry.</param>
    /// <param name="requestedId">The id as requested, perhaps a dated form; it is sent as given.</param>
    /// <param name="apiKey">Credential of the vendor.</param>
    /// <param name="baseUrl">Another address than the vendor's.</param>
    public static ModelEndpoint Of(CatalogModel model, string requestedId, string? apiKey = null, Uri? baseUrl = null) => new()
    {
        Provider = model.Vendor,
        Kind = model.Vendor,
        ModelId = requestedId,
        ApiKey = apiKey,
        BaseUrl = baseUrl,
        SupportsTemperature = model.Supports.Temperature,
        SupportsThinking = model.Supports.Thinking,
        SupportsCompaction = model.Supports.NativeCompaction,
        SupportsJsonSchema = model.Supports.JsonSchema,
        KeepsReasoning = model.Vendor == ProviderKinds.OpenAI,
        LongContextBeta = model.LongContextBeta,
        MaxOutputTokens = model.MaxOutputTokens,
    };

    /// <summary>Provider and model only: a record's own text would print the key.</summary>
    public override string ToString() => $"{Provider}/{ModelId}";
}
