using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flapjack.Server.Operations;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Flapjack.Server.Tests.Contract;

/// <summary>The committed OpenAPI document is what the routes say.</summary>
public sealed class OpenApiFileTests
{
    private static readonly JsonSerializerOptions Layout = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    [Fact]
    public async Task The_committed_document_is_what_the_routes_say()
    {
        var generated = await GenerateAsync();
        var path = Path.Combine(Repository.Root, "openapi", "v1.json");
        if (Environment.GetEnvironmentVariable("FLAPJACK_WRITE_OPENAPI") == "1") await File.WriteAllTextAsync(path, generated, TestContext.Current.CancellationToken);
        var committed = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        (committed == generated).ShouldBeTrue($"openapi/v1.json differs from the routes{FirstDifference(committed, generated)}. Run bin/openapi and commit the change.");
    }

    [Fact]
    public async Task Every_operation_has_an_id_a_summary_a_tag_and_an_origin()
    {
        var document = JsonNode.Parse(await GenerateAsync())!;
        var faults = new List<string>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (path, operations) in document["paths"]!.AsObject())
        {
            foreach (var (method, operation) in operations!.AsObject())
            {
                var name = $"{method.ToUpperInvariant()} {path}";
                if (operation!["operationId"]?.GetValue<string>() is not { } id) faults.Add($"{name}: add .WithName(\"…\")");
                else if (!ids.Add(id)) faults.Add($"{name}: the name {id} is taken");
                if (string.IsNullOrWhiteSpace(operation["summary"]?.GetValue<string>())) faults.Add($"{name}: add a doc comment (summary) to its handler");
                if (operation["tags"] is not JsonArray { Count: 1 }) faults.Add($"{name}: add .WithTags(\"…\") to its group, once");
                if (operation["x-origin"]?.GetValue<string>() is not ("doc" or "chosen" or "ext")) faults.Add($"{name}: add .From(\"doc|chosen|ext\")");
            }
        }
        faults.ShouldBeEmpty();
    }

    private static async Task<string> GenerateAsync()
    {
        await using var server = await ServerFixture.StartAsync(services: services => services.AddApiDescription());
        var document = await server.Services.GetRequiredKeyedService<IOpenApiDocumentProvider>(ApiDescription.Document).GetOpenApiDocumentAsync(TestContext.Current.CancellationToken);
        var node = JsonNode.Parse(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1, TestContext.Current.CancellationToken))!;
        node["paths"] = Sorted(node["paths"]!.AsObject());
        foreach (var (_, part) in node["components"]!.AsObject().ToList()) Replace(part!);
        node["tags"] = new JsonArray([.. node["tags"]!.AsArray().OrderBy(t => t!["name"]!.GetValue<string>(), StringComparer.Ordinal).Select(t => t!.DeepClone())]);
        return node.ToJsonString(Layout) + "\n";
    }

    private static void Replace(JsonNode part)
    {
        var name = part.GetPropertyName();
        part.Parent!.AsObject()[name] = Sorted(part.AsObject());
    }

    private static JsonObject Sorted(JsonObject node) =>
        new(node.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => new KeyValuePair<string, JsonNode?>(p.Key, p.Value?.DeepClone())));

    private static string FirstDifference(string committed, string generated)
    {
        var (old, now) = (committed.Split('\n'), generated.Split('\n'));
        for (var i = 0; i < Math.Min(old.Length, now.Length); i++) if (old[i] != now[i]) return $", first in line {i + 1}: '{old[i].Trim()}' should be '{now[i].Trim()}'";
        return $" in length: {old.Length} lines, should be {now.Length}";
    }
}
