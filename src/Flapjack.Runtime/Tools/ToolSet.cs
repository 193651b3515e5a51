using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tools;

/// <summary>The tools of one turn: what exists, and what the profile lets through. The model is offered the second; calls are checked against it again when they are made.</summary>
public sealed class ToolSet
{
    /// <summary>Most tools offered to a model in one turn.</summary>
    public const int MaxOffered = 256;

    /// <summary>No tools at all.</summary>
    public static readonly ToolSet Empty = new([], [], null);

    private readonly Dictionary<string, TurnTool> _server = new(StringComparer.Ordinal);
    private readonly HashSet<string> _client = new(StringComparer.Ordinal);
    private readonly ToolProfile? _profile;
    private readonly bool _planning;

    /// <summary>Builds the set. On equal names the first wins, client-side tools before all others.</summary>
    /// <param name="clientTools">Declarations that came with the message; never gated.</param>
    /// <param name="serverTools">In order of precedence.</param>
    /// <param name="profile">The effective profile; null lets every tool through.</param>
    /// <param name="planning">Plan mode: only tools made for it are let through.</param>
    public ToolSet(IReadOnlyList<AIFunctionDeclaration> clientTools, IReadOnlyList<TurnTool> serverTools, ToolProfile? profile, bool planning = false)
    {
        (_profile, _planning) = (profile, planning);
        var offered = new List<AITool>(clientTools.Count + serverTools.Count);
        foreach (var tool in clientTools)
        {
            if (_client.Add(tool.Name)) offered.Add(tool);
        }
        foreach (var tool in serverTools)
        {
            if (_client.Contains(tool.Name) || !_server.TryAdd(tool.Name, tool)) continue;
            if (Allows(tool)) offered.Add(tool.Function.AsDeclarationOnly());
        }
        Offered = offered.Count > MaxOffered ? offered.GetRange(0, MaxOffered) : offered;
    }

    /// <summary>What the model is shown: declarations only, so that no client can run them by itself.</summary>
    public IReadOnlyList<AITool> Offered { get; }

    /// <summary>True for a tool the client runs.</summary>
    public bool IsClientSide(string name) => _client.Contains(name);

    /// <summary>The server-side tool of that name, whether or not the profile lets it through.</summary>
    public TurnTool? Find(string name) => _server.GetValueOrDefault(name);

    /// <summary>True when allow-lists, profile and plan mode let the tool through.</summary>
    public bool Allows(TurnTool tool) => !tool.Withheld && (!tool.Gated || (_profile is null || _profile.Allows(tool.Name)) && (!_planning || tool.Planning));
}
