namespace Flapjack.Server.A2A;

/// <summary>What an agent tells other agents of itself: version 0.3 of the protocol.</summary>
public sealed record AgentCard
{
    /// <summary>Version of the protocol.</summary>
    public string ProtocolVersion => "0.3.0";
    /// <summary>The agent's name.</summary>
    public required string Name { get; init; }
    /// <summary>What it is for.</summary>
    public required string Description { get; init; }
    /// <summary>Where it takes messages.</summary>
    public required string Url { get; init; }
    /// <summary><c>JSONRPC</c>.</summary>
    public string PreferredTransport => "JSONRPC";
    /// <summary>Version of the server.</summary>
    public required string Version { get; init; }
    /// <summary>What it can beside answering.</summary>
    public AgentCapabilities Capabilities { get; } = new(true, false, false);
    /// <summary>Bearer: an API key or a user's access token.</summary>
    public IReadOnlyDictionary<string, AgentSecurity> SecuritySchemes { get; } = new Dictionary<string, AgentSecurity> { ["bearer"] = new("http", "bearer", "An API key (fj_live_…) with the scope threads:write, or a user's access token.") };
    /// <summary>Every call needs it.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, IReadOnlyList<string>>> Security { get; } = [new Dictionary<string, IReadOnlyList<string>> { ["bearer"] = [] }];
    /// <summary>Media types of messages.</summary>
    public IReadOnlyList<string> DefaultInputModes { get; } = ["text/plain", "application/json"];
    /// <summary>Media types of answers.</summary>
    public IReadOnlyList<string> DefaultOutputModes { get; } = ["text/plain"];
    /// <summary>What it can do.</summary>
    public required IReadOnlyList<AgentSkill> Skills { get; init; }
    /// <summary>There is no other card.</summary>
    public bool SupportsAuthenticatedExtendedCard => false;
}

/// <summary>What an agent can beside answering.</summary>
/// <param name="Streaming">True.</param>
/// <param name="PushNotifications">False.</param>
/// <param name="StateTransitionHistory">False.</param>
public sealed record AgentCapabilities(bool Streaming, bool PushNotifications, bool StateTransitionHistory);

/// <summary>How to authenticate.</summary>
/// <param name="Type"><c>http</c>.</param>
/// <param name="Scheme"><c>bearer</c>.</param>
/// <param name="Description">What to send.</param>
public sealed record AgentSecurity(string Type, string Scheme, string Description);

/// <summary>Something an agent can do.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Name for people.</param>
/// <param name="Description">What it is.</param>
/// <param name="Tags">Words to find it by.</param>
public sealed record AgentSkill(string Id, string Name, string Description, IReadOnlyList<string> Tags);
