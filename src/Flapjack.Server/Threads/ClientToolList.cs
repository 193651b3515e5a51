using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Threads.Turns;

namespace Flapjack.Server.Threads;

/// <summary>Checks the client-side tools of a request.</summary>
/// <param name="field">Name of the list in the request.</param>
/// <param name="errors">Where faults go.</param>
internal sealed class ClientToolList(string field, FieldErrors errors)
{
    private const int MaxTools = 64, SchemaLimit = 64 * 1024;
    private static readonly JsonElement AnyObject = JsonElement.Parse("""{"type":"object","properties":{}}""");
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly List<ClientTool> _tools = [];

    public IReadOnlyList<ClientTool> Tools => _tools;

    /// <summary>Adds a tool, or its faults.</summary>
    public void Add(string path, string? name, string? description, JsonElement? parameters)
    {
        if (_tools.Count == MaxTools) errors.Add(field, $"has more than {MaxTools} tools");
        if (name is null) errors.Add($"{path}.name", "is required");
        else if (!FieldRules.IsToolName(name)) errors.Add($"{path}.name", "must match ^[A-Za-z0-9_-]{1,64}$");
        else if (name.Contains("__", StringComparison.Ordinal)) errors.Add($"{path}.name", "must not contain __");
        else if (!_names.Add(name)) errors.Add($"{path}.name", "is used twice");
        errors.Text($"{path}.description", description, 4_000);
        errors.Object($"{path}.parameters", parameters, SchemaLimit);
        _tools.Add(new(name ?? "", description ?? "", parameters is { ValueKind: JsonValueKind.Object } schema ? schema : AnyObject));
    }
}
