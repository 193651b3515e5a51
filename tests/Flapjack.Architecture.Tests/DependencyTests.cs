using Flapjack.Architecture.Tests.Reading;
using Flapjack.Architecture.Tests.Rules;

namespace Flapjack.Architecture.Tests;

public sealed class DependencyTests
{
    private static readonly CodeMap Runtime = CodeMap.Read("Flapjack.Runtime", "Flapjack.Runtime", "src/Flapjack.Runtime");
    private static readonly CodeMap Providers = CodeMap.Read("Flapjack.Providers", "Flapjack.Providers", "src/Flapjack.Providers");
    private static readonly CodeMap Sandboxes = CodeMap.Read("Flapjack.Sandboxes", "Flapjack.Sandboxes", "src/Flapjack.Sandboxes");
    private static readonly CodeMap Server = CodeMap.Read("Flapjack.Server", "Flapjack.Server", "src/Flapjack.Server");

    private const string PlantedRoot = "Flapjack.Architecture.Tests.Planted";
    private static readonly CodeMap Planted = CodeMap.Read("Flapjack.Architecture.Tests", PlantedRoot, "tests/Flapjack.Architecture.Tests/Planted");

    [Fact]
    public void The_reader_sees_the_code()
    {
        Runtime.Types.Keys.ShouldContain("Flapjack.Runtime.Tools.ToolSet");
        Runtime.Uses.ShouldContain(use => use.From.Name == "ToolSet" && use.To == "Flapjack.Runtime.Tools.TurnTool");
        Server.Types.Keys.ShouldContain("Program");
    }

    [Fact]
    public void The_runtime_knows_no_web_no_database_and_no_other_project() =>
        DependencyRules.AssemblyReferences(Runtime, RuntimeMustNotKnow).ShouldBeNone();

    [Fact]
    public void Providers_do_not_know_the_server() =>
        DependencyRules.AssemblyReferences(Providers, ProvidersMustNotKnow).ShouldBeNone();

    [Fact]
    public void Sandboxes_know_no_web_no_database_and_no_other_project() =>
        DependencyRules.AssemblyReferences(Sandboxes, [.. RuntimeMustNotKnow.Where(name => name != "Flapjack.Sandboxes"), "Flapjack.Runtime"]).ShouldBeNone();

    [Fact]
    public void Platform_knows_no_feature() => DependencyRules.PlatformKnowsNoFeature(Server).ShouldBeNone();

    [Fact]
    public void Features_meet_at_named_collaborators() => DependencyRules.FeaturesMeetAtCollaborators(Server).ShouldBeNone();

    [Fact]
    public void Entities_point_at_other_features_by_id() => DependencyRules.EntitiesNavigateByIdOnly(Server).ShouldBeNone();

    [Fact]
    public void Features_form_no_cycle() => DependencyRules.NoCyclesBetweenFeatures(Server).ShouldBeNone();

    [Fact]
    public void Only_the_edge_knows_the_request() => DependencyRules.HttpStaysAtTheEdge(Server).ShouldBeNone();

    [Fact]
    public void Sql_text_stays_in_dialect_code() => DependencyRules.SqlTextStaysInDialects(Server).ShouldBeNone();

    [Fact]
    public void Planted_assembly_references_are_found() =>
        DependencyRules.AssemblyReferences(Planted, [.. RuntimeMustNotKnow, "Mono.Cecil"])
            .ShouldContain(text => text.StartsWith("Flapjack.Architecture.Tests references Microsoft.EntityFrameworkCore", StringComparison.Ordinal));

    [Fact]
    public void A_planted_feature_use_in_Platform_is_found() =>
        DependencyRules.PlatformKnowsNoFeature(Planted)
            .ShouldFindOnly($"{PlantedRoot}.Platform.Meddler uses {PlantedRoot}.Apples.Apple.");

    [Fact]
    public void Planted_uses_of_a_foreign_wire_are_found() =>
        DependencyRules.FeaturesMeetAtCollaborators(Planted).ShouldFindOnly(
            $"{PlantedRoot}.Pears.PearPicker uses {PlantedRoot}.Apples.AppleResponse of AppleContracts.cs",
            $"{PlantedRoot}.Pears.PearPicker uses {PlantedRoot}.Apples.AppleEndpoints of AppleEndpoints.cs");

    [Fact]
    public void A_planted_navigation_property_is_found() =>
        DependencyRules.EntitiesNavigateByIdOnly(Planted)
            .ShouldFindOnly($"{PlantedRoot}.Plums.Plum.Neighbours navigates to {PlantedRoot}.Apples.Apple.");

    [Fact]
    public void A_planted_cycle_is_found_in_both_directions() =>
        DependencyRules.NoCyclesBetweenFeatures(Planted).ShouldFindOnly("Apples uses Pears", "Pears uses Apples");

    [Fact]
    public void A_planted_use_of_the_request_is_found() =>
        DependencyRules.HttpStaysAtTheEdge(Planted)
            .ShouldFindOnly($"{PlantedRoot}.Pears.PearPicker uses Microsoft.AspNetCore.Http.HttpContext.");

    [Fact]
    public void Planted_sql_is_found() =>
        DependencyRules.SqlTextStaysInDialects(Planted).ShouldFindOnly(
            $"{PlantedRoot}.Plums.PlumStore calls RelationalQueryableExtensions.FromSqlRaw",
            $"{PlantedRoot}.Plums.PlumStore calls DbCommand.set_CommandText");

    private static readonly string[] ProvidersMustNotKnow =
        ["Microsoft.AspNetCore", "Microsoft.EntityFrameworkCore", "Npgsql", "Flapjack.Server", "Flapjack.Sandboxes"];

    private static readonly string[] RuntimeMustNotKnow = [.. ProvidersMustNotKnow, "Flapjack.Providers", "OpenAI", "Anthropic"];
}
