using Flapjack.Architecture.Tests.Reading;
using Mono.Cecil;

namespace Flapjack.Architecture.Tests.Rules;

/// <summary>The dependency rules of ARCHITECTURE.md. Each answers with its violations; every text says how to comply.</summary>
internal static class DependencyRules
{
    private const string Platform = "Platform";

    // The composition files: they know every feature by design.
    private static readonly string[] Composition = ["FlapjackDb", "Program"];

    public static IEnumerable<string> AssemblyReferences(CodeMap map, params string[] forbidden) =>
        from reference in map.Module.AssemblyReferences
        where forbidden.Any(name => reference.Name == name || reference.Name.StartsWith(name + ".", StringComparison.Ordinal))
        select $"{map.Module.Assembly.Name.Name} references {reference.Name}. Move the code that needs it into a project that may know it, or let the caller pass in what it computes.";

    public static IEnumerable<string> PlatformKnowsNoFeature(CodeMap map) =>
        from use in map.Uses
        where map.FolderOf(use.From.FullName) == Platform && !Composition.Contains(use.From.Name) && IsFeature(map, use.To)
        select $"{use.From.FullName} uses {use.To}. Platform serves every feature and knows none: let the feature hand over what is needed through a registration, an interface in Platform, or a parameter.";

    /// <summary>Endpoints and contracts are the wire of one feature; another feature calls a named collaborator or passes an id.</summary>
    public static IEnumerable<string> FeaturesMeetAtCollaborators(CodeMap map) =>
        from use in map.Uses
        where BetweenFeatures(map, use)
        let target = map.Types[use.To]
        where target.File.EndsWith("Endpoints.cs", StringComparison.Ordinal) || target.File.EndsWith("Contracts.cs", StringComparison.Ordinal)
        select $"{use.From.FullName} uses {use.To} of {target.File}. That is the wire of {map.FolderOf(use.To)}: call a collaborator of that feature that is named for what it does, or store its id.";

    public static IEnumerable<string> EntitiesNavigateByIdOnly(CodeMap map)
    {
        var entities = map.Types.Values
            .Where(type => type.Name == "FlapjackDb")
            .SelectMany(type => map.Module.GetType(type.FullName).Properties)
            .Select(property => property.PropertyType)
            .OfType<GenericInstanceType>()
            .Where(type => type.ElementType.Name == "DbSet`1")
            .Select(type => type.GenericArguments[0].FullName)
            .ToHashSet();
        return from name in entities
               where map.Types.ContainsKey(name)
               from property in map.Module.GetType(name).Properties
               from target in Mentioned(property.PropertyType)
               where entities.Contains(target) && map.FolderOf(target) != map.FolderOf(name)
               select $"{name}.{property.Name} navigates to {target}. An entity points at another feature by id: keep {property.Name}Id and join in the query.";
    }

    public static IEnumerable<string> NoCyclesBetweenFeatures(CodeMap map)
    {
        var uses = map.Uses.Where(use => BetweenFeatures(map, use)).ToLookup(use => (From: map.FolderOf(use.From.FullName), To: map.FolderOf(use.To)));
        var next = uses.Select(edge => edge.Key).ToLookup(edge => edge.From, edge => edge.To);
        return from edge in uses
               where Reaches(next, edge.Key.To, edge.Key.From)
               let sample = edge.First()
               select $"{edge.Key.From} uses {edge.Key.To}, and {edge.Key.To} leads back to {edge.Key.From}: {sample.From.FullName} uses {sample.To}. Turn one direction round: raise a signal, pass an id, or move the collaborator to the feature that owns the data.";
    }

    public static IEnumerable<string> HttpStaysAtTheEdge(CodeMap map)
    {
        string[] http = ["HttpContext", "HttpRequest", "HttpResponse", "IHttpContextAccessor"];
        string[] edges = ["Http", "Identity", "Idempotency"];
        return from use in map.Uses
               where use.Handled && http.Any(name => use.To == "Microsoft.AspNetCore.Http." + name)
               where !use.From.File.EndsWith("Endpoints.cs", StringComparison.Ordinal)
               where !edges.Any(edge => InNamespace(use.From, $"{map.Root}.Platform.{edge}"))
               select $"{use.From.FullName} uses {use.To}. Only *Endpoints.cs, Platform/Http, Platform/Identity and Platform/Idempotency know the request: read the value there and pass it on.";
    }

    public static IEnumerable<string> SqlTextStaysInDialects(CodeMap map)
    {
        string[] calls =
        [
            "FromSql", "FromSqlRaw", "FromSqlInterpolated", "SqlQuery", "SqlQueryRaw", "set_CommandText",
            "ExecuteSql", "ExecuteSqlRaw", "ExecuteSqlInterpolated", "ExecuteSqlAsync", "ExecuteSqlRawAsync", "ExecuteSqlInterpolatedAsync",
        ];
        string[] commands = ["SqliteCommand", "NpgsqlCommand", "NpgsqlBatchCommand"];
        return from use in map.Uses
               where calls.Contains(use.Member) || (use.Member == ".ctor" && commands.Any(name => use.To.EndsWith("." + name, StringComparison.Ordinal)))
               where !use.From.Name.EndsWith("Sql", StringComparison.Ordinal)
               where !use.From.Namespace.Split('.').Intersect(["Sqlite", "Postgres"]).Any()
               select $"{use.From.FullName} calls {use.To[(use.To.LastIndexOf('.') + 1)..]}.{use.Member}. SQL text belongs in a type named …Sql when both databases run the same text, or in a namespace …Sqlite and its twin …Postgres; otherwise write it as a query.";
    }

    private static bool IsFeature(CodeMap map, string fullName) => map.FolderOf(fullName) is not ("" or Platform);

    private static bool BetweenFeatures(CodeMap map, Use use) =>
        IsFeature(map, use.From.FullName) && IsFeature(map, use.To) && map.FolderOf(use.From.FullName) != map.FolderOf(use.To);

    private static bool InNamespace(CodeType type, string name) =>
        type.Namespace == name || type.Namespace.StartsWith(name + ".", StringComparison.Ordinal);

    private static IEnumerable<string> Mentioned(TypeReference type) =>
        type is GenericInstanceType generic ? generic.GenericArguments.SelectMany(Mentioned) : [type.GetElementType().FullName];

    private static bool Reaches(ILookup<string, string> next, string from, string to)
    {
        var seen = new HashSet<string>();
        var open = new Stack<string>([from]);
        while (open.TryPop(out var at))
        {
            if (at == to)
            {
                return true;
            }

            foreach (var further in next[at].Where(seen.Add))
            {
                open.Push(further);
            }
        }

        return false;
    }
}
