using System.Text.RegularExpressions;
using Flapjack.Server.Platform.Identity;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Contract;

/// <summary>Every route is in the contract's table, with its callers and origin. <c>endpoints.tsv</c> is a copy of that table.</summary>
public sealed partial class RouteContractTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    // Pages for people and their files are no part of the API and need no row.
    private static readonly string[] NotInTheTable = ["GET /", "GET /docs/{}", "GET /chat/assets/{}", "GET /login", "GET /login/{}", "GET /signup"];

    // Routes whose canned answer for the demo key is still to be written. This list only shrinks.
    private static readonly string[] DemoToCome = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_route_is_in_the_table_with_its_callers_and_origin()
    {
        var faults = new List<string>();
        foreach (var route in Routes())
        {
            if (!Table.TryGetValue(route.Shape, out var row))
            {
                if (!NotInTheTable.Contains(route.Shape)) faults.Add($"{route.Shape} is not in Contract/endpoints.tsv: correct the route, or agree on a row of the contract first.");
                continue;
            }
            var wanted = row.Auth switch
            {
                "none" => ".Public()",
                "jwt" => ".UsersOnly(role)",
                "demo-ok" => ".Access(scope, role) and .Demo(answer)",
                _ => ".Access(scope, role)",
            };
            if (route.Rule is null) faults.Add($"{route.Shape} has no access rule: add {wanted}.");
            else if (route.Rule.Anonymous != (row.Auth == "none") || route.Rule.UsersOnly != (row.Auth == "jwt")) faults.Add($"{route.Shape} is '{row.Auth}' in the table: use {wanted}.");
            if (row.Auth == "demo-ok" && !route.HasDemo && !DemoToCome.Contains(route.Shape)) faults.Add($"{route.Shape} is 'demo-ok' in the table: add .Demo(…) with its canned answer.");
            if (row.Auth != "demo-ok" && route.HasDemo) faults.Add($"{route.Shape} is not 'demo-ok' in the table: remove .Demo(…).");
            if (route.Origin != row.Origin) faults.Add($"{route.Shape} has origin '{route.Origin}', the table says '{row.Origin}': use .From(\"{row.Origin}\").");
        }
        faults.ShouldBeEmpty();
    }

    [Fact]
    public void Exceptions_are_still_needed()
    {
        var routes = Routes().ToDictionary(r => r.Shape);
        DemoToCome.Where(shape => !routes.TryGetValue(shape, out var route) || route.HasDemo).ShouldBeEmpty("These have a demo answer now: take them off the list DemoToCome.");
        NotInTheTable.Where(shape => !routes.ContainsKey(shape)).ShouldBeEmpty("These routes are gone: take them off the list NotInTheTable.");
    }

    [Fact]
    public async Task Every_route_that_is_not_public_refuses_a_stranger()
    {
        var faults = new List<string>();
        foreach (var route in Routes().Where(r => r.Rule is not { Anonymous: true }))
        {
            using var response = await SendAsync(server.Anonymous, route);
            if ((int)response.StatusCode != 401) faults.Add($"{route.Shape} answers a stranger with {(int)response.StatusCode}, not 401: give it an access rule.");
        }
        faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_route_for_users_refuses_an_api_key()
    {
        var faults = new List<string>();
        foreach (var route in Routes().Where(r => Table.TryGetValue(r.Shape, out var row) && row.Auth == "jwt"))
        {
            using var response = await SendAsync(server.Client, route);
            if ((int)response.StatusCode != 403) faults.Add($"{route.Shape} answers an API key with {(int)response.StatusCode}, not 403: use .UsersOnly(role).");
        }
        faults.ShouldBeEmpty();
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, Route route)
    {
        using var request = new HttpRequestMessage(new HttpMethod(route.Method), Parameter().Replace(route.Path, _ => Guid.CreateVersion7().ToString()));
        if (route.Method is "POST" or "PUT" or "PATCH") request.Content = JsonText.Content("{}");
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
    }

    private IEnumerable<Route> Routes() =>
        from endpoint in server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["ANY"]
        select new Route(method, "/" + endpoint.RoutePattern.RawText!.Trim('/'), endpoint.Metadata.GetMetadata<AccessRule>(), endpoint.Metadata.GetMetadata<DemoAnswer>() is not null, endpoint.Metadata.GetMetadata<Origin>()?.Mark);

    private static readonly Dictionary<string, Row> Table = File.ReadLines(Path.Combine(Repository.Root, "tests", "Flapjack.Server.Tests", "Contract", "endpoints.tsv"))
        .Skip(1).Select(line => line.Split('\t')).ToDictionary(c => Shape(c[0], c[1]), c => new Row(c[2], c[5]));

    private static string Shape(string method, string path) => $"{method} {Parameter().Replace(path, "{}")}";

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();

    private sealed record Row(string Auth, string Origin);

    private sealed record Route(string Method, string Path, AccessRule? Rule, bool HasDemo, string? Origin)
    {
        public string Shape => RouteContractTests.Shape(Method, Path);
    }
}
