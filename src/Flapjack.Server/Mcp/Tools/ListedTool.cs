using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Flapjack.Server.Mcp.Connections;

namespace Flapjack.Server.Mcp.Tools;

/// <summary>A tool as its server listed it, made fit for prompts.</summary>
/// <param name="Name">As the server calls it.</param>
/// <param name="Description">In the server's words, cut.</param>
/// <param name="InputSchema">An object schema that every provider takes.</param>
/// <param name="ReadOnly">The server says that it changes nothing.</param>
/// <param name="Idempotent">The server says that calling it again changes nothing more.</param>
internal sealed partial record ListedTool(string Name, string? Description, JsonElement InputSchema, bool ReadOnly, bool Idempotent)
{
    public const string NoTools = "[]";
    private const int MaxName = 128, MaxDescription = 4_000, MaxSchema = 64 * 1024;
    private static readonly JsonSerializerOptions Stored = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Providers refuse a whole request for one tool whose schema has these at its root.
    private static readonly string[] NotAtRoot = ["anyOf", "oneOf", "allOf", "not", "enum", "const", "if", "then", "else", "$ref"];

    public static IReadOnlyList<ListedTool> Read(string json) => JsonSerializer.Deserialize<List<ListedTool>>(json, Stored)!;

    public static string Write(IReadOnlyList<ListedTool> tools) => JsonSerializer.Serialize(tools, Stored);

    /// <summary>The tool; null when a prompt cannot take it.</summary>
    public static ListedTool? From(JsonNode? node)
    {
        try
        {
            return Fit(node);
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            // JSON that is read late: half a surrogate in a text, a key that comes twice.
            return null;
        }
    }

    private static ListedTool? Fit(JsonNode? node)
    {
        if (node is not JsonObject tool || Text(tool["name"]) is not { Length: > 0 and <= MaxName } name || name.Any(char.IsControl)) return null;
        if (Schema(tool["inputSchema"]) is not { } schema) return null;
        var description = Text(tool["description"])?.Replace('\0', ' ').Trim();
        if (string.IsNullOrEmpty(description)) description = Text(tool["title"]);
        if (description?.Length > MaxDescription) description = description[..(char.IsHighSurrogate(description[MaxDescription - 2]) ? MaxDescription - 2 : MaxDescription - 1)] + "…";
        var hints = tool["annotations"] as JsonObject;
        return new(name, description, schema, Flag(hints, "readOnlyHint"), Flag(hints, "readOnlyHint") || Flag(hints, "idempotentHint"));
    }

    private static JsonElement? Schema(JsonNode? node)
    {
        var schema = node switch
        {
            null => new JsonObject(),
            JsonObject given => (JsonObject)given.DeepClone(),
            _ => null,
        };
        if (schema is null || Text(schema["type"]) is { } type && type != "object") return null;
        foreach (var keyword in NotAtRoot) schema.Remove(keyword);
        schema["type"] = "object";
        if (schema["properties"] is not JsonObject properties) schema["properties"] = properties = [];
        if (properties.Any(property => !PropertyName().IsMatch(property.Key))) return null;
        try
        {
            var text = schema.ToJsonString(Stored);
            // Unescaped NUL characters cannot be stored, and nobody names anything with them.
            if (text.Length > MaxSchema || text.Contains("\\u0000", StringComparison.Ordinal)) return null;
            using var document = JsonDocument.Parse(text, new() { MaxDepth = 48, AllowDuplicateProperties = false });
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static bool Flag(JsonObject? hints, string name) => hints?[name] is JsonValue value && value.TryGetValue(out bool flag) && flag;

    [GeneratedRegex(@"^[A-Za-z0-9_.-]{1,64}\z")]
    private static partial Regex PropertyName();
}

/// <summary>What a server answered when asked for its tools.</summary>
/// <param name="Tools">At most <see cref="MaxTools"/>.</param>
/// <param name="LeftOut">How many were listed beside them.</param>
/// <param name="Fault">Why there is no answer; then there are no tools.</param>
internal sealed record ToolListing(IReadOnlyList<ListedTool> Tools, int LeftOut, McpFault? Fault = null)
{
    public const int MaxTools = 256;
    private const int MaxCharacters = 1_000_000;

    /// <summary>What people should know of a listing that succeeded.</summary>
    public string? Note => LeftOut == 0 ? null : $"{LeftOut} tools were left out: too many, too large, or with a schema that no model takes";

    /// <summary>Takes tools page by page.</summary>
    internal sealed class Builder
    {
        private readonly List<ListedTool> _tools = [];
        private readonly HashSet<string> _names = new(StringComparer.Ordinal);
        private int _leftOut, _characters;

        public bool IsFull => _leftOut > MaxTools * 4;

        public void Add(JsonNode? node)
        {
            if (_tools.Count == MaxTools || ListedTool.From(node) is not { } tool || !Fits(tool)) _leftOut++;
            else if (_names.Add(tool.Name)) _tools.Add(tool);
        }

        public ToolListing Build() => new(_tools, _leftOut);

        private bool Fits(ListedTool tool) => (_characters += tool.InputSchema.GetRawText().Length + (tool.Description?.Length ?? 0)) <= MaxCharacters;
    }
}
