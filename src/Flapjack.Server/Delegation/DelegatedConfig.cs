using System.Text;
using System.Text.Json;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Tools;

namespace Flapjack.Server.Delegation;

/// <summary>To whom an agent hands work: tools that one endpoint of the application runs, and other agents.</summary>
internal sealed record DelegatedConfig : IAgentConfig
{
    private const int MaxTools = 64, MaxAgents = 20;

    public static string Name => "delegated";

    public bool Enabled { get; init; }

    /// <summary>Receives the calls of <see cref="Tools"/>; they are not offered without it.</summary>
    public string? EndpointUrl { get; init; }

    /// <summary>Signs those calls instead of the organisation's secret; encrypted.</summary>
    public string? Secret { get; init; }

    public int TimeoutMs { get; init; } = 30_000;
    public IReadOnlyList<DelegatedTool> Tools { get; init; } = [];
    public IReadOnlyList<SubAgent> Agents { get; init; } = [];

    /// <summary>How many delegations may nest, the first included.</summary>
    public int MaxDepth { get; init; } = 2;

    /// <summary>True: sub-agents are shown the last messages of the thread.</summary>
    public bool ShareContext { get; init; }

    /// <summary>What the secret is bound to.</summary>
    public static string PlaceOfSecret(Guid orgId, Guid agentId) => $"{orgId}/agents/{agentId}/delegated/secret";

    /// <summary>Adds a fault for everything the contract does not allow, except what only the network or the database knows.</summary>
    public void Check(FieldErrors errors, Guid agentId)
    {
        errors.Text("endpointUrl", EndpointUrl, 2_000);
        errors.Range("timeoutMs", TimeoutMs, 1_000, 120_000);
        errors.Range("maxDepth", MaxDepth, 1, 5);
        CheckTools(errors);
        CheckAgents(errors, agentId);
    }

    private void CheckTools(FieldErrors errors)
    {
        if (Tools.Count > MaxTools) errors.Add("tools", $"has more than {MaxTools} tools");
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < Math.Min(Tools.Count, MaxTools); i++)
        {
            var (name, path) = (Tools[i].Name, $"tools[{i}]");
            if (name.Length == 0) errors.Add($"{path}.name", "is required");
            else if (!FieldRules.IsToolName(name)) errors.Add($"{path}.name", "must match ^[A-Za-z0-9_-]{1,64}$");
            else if (name.Contains("__", StringComparison.Ordinal)) errors.Add($"{path}.name", "must not contain __");
            else if (!names.Add(name)) errors.Add($"{path}.name", "is used twice");
            errors.Text($"{path}.description", Tools[i].Description, 4_000);
            ToolSchemas.Check(errors, $"{path}.parameters", Tools[i].Parameters);
        }
    }

    private void CheckAgents(FieldErrors errors, Guid agentId)
    {
        if (Agents.Count > MaxAgents) errors.Add("agents", $"has more than {MaxAgents} agents");
        var ids = new HashSet<Guid>();
        for (var i = 0; i < Math.Min(Agents.Count, MaxAgents); i++)
        {
            if (Agents[i].AgentId == agentId) errors.Add($"agents[{i}].agentId", "is the agent itself");
            else if (!ids.Add(Agents[i].AgentId)) errors.Add($"agents[{i}].agentId", "is named twice");
            errors.Text($"agents[{i}].name", Agents[i].Name, 200, min: 1);
            errors.Text($"agents[{i}].description", Agents[i].Description, 2_000);
        }
    }
}

/// <summary>A tool the application's endpoint runs.</summary>
internal sealed record DelegatedTool(string Name, string Description, JsonElement Parameters);

/// <summary>Another agent that can be asked.</summary>
/// <param name="AgentId">Which.</param>
/// <param name="Name">Another name for it here; null = its own.</param>
/// <param name="Description">Another description; null = its own.</param>
internal sealed record SubAgent(Guid AgentId, string? Name, string? Description)
{
    private const string Prefix = "delegate_to_";
    private const int MaxName = 64;

    /// <summary>The tool's name: lower case, every run of other characters than letters and digits as one <c>_</c>.</summary>
    public static string ToolNameOf(string name)
    {
        var handle = new StringBuilder(name.Length);
        foreach (var letter in name.ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(letter)) handle.Append(letter);
            else if (handle.Length > 0 && handle[^1] != '_') handle.Append('_');
        }
        var text = handle.ToString().TrimEnd('_');
        if (text.Length == 0) text = "agent";
        return Prefix + (text.Length > MaxName - Prefix.Length ? text[..(MaxName - Prefix.Length)].TrimEnd('_') : text);
    }
}
