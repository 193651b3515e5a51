using System.Text.Json;
using Flapjack.Runtime.Schemas;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Tools;

/// <summary>What a schema of a tool's arguments has to be. Providers refuse everything else, and with it the whole request of every turn that offers the tool.</summary>
internal static class ToolSchemas
{
    private const int MaxBytes = 64 * 1024, MaxProblems = 10;

    /// <summary>Adds a fault for each mistake. No schema is none.</summary>
    /// <param name="errors">Where faults go.</param>
    /// <param name="field">Path of the schema in the request.</param>
    /// <param name="sent">The schema.</param>
    public static void Check(FieldErrors errors, string field, JsonElement? sent)
    {
        var before = errors.Count;
        errors.Object(field, sent, MaxBytes);
        if (errors.Count > before || sent is not { ValueKind: JsonValueKind.Object } schema) return;
        if (!schema.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String || !type.ValueEquals("object")) errors.Add($"{field}.type", "must be object");
        foreach (var problem in JsonSchema.Parse(schema).Problems.Where(p => p.IsMistake).Take(MaxProblems)) errors.Add(field + problem.Path.Replace('/', '.'), problem.Message);
    }
}
