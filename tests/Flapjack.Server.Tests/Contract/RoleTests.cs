using System.Text.RegularExpressions;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Tests.Accounts;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Contract;

/// <summary>Every route with every role: whoever has less than the table says gets 403, whoever has it gets past the check.</summary>
public sealed partial class RoleTests
{
    // The contract's table of roles. The first line that fits a route counts, so special cases stand above the rule they break.
    private static readonly (string Route, Role Needs)[] Table =
    [
        // One's own account, and organisations of one's own.
        (@"^\w+ /api/auth/", Role.Viewer),
        (@"^POST /api/orgs$", Role.Viewer),
        (@"^DELETE /api/orgs/\{\}$", Role.Owner),
        // Keys, integrations, providers, computers, members, invites, signing secret. Everybody may remove themselves, see MemberTests.
        (@"^\w+ /api/keys", Role.Admin),
        (@"^\w+ /api/orgs/\{\}/(invites|signing-secret)", Role.Admin),
        (@"^(?!GET)\w+ /api/(orgs|providers|integrations)", Role.Admin),
        (@"^(?!GET)\w+ /api/agents/from-template", Role.Admin),
        (@"^(?!GET)\w+ /api/(agents|threads)/\{\}/(computer|computer-instances|sandbox)", Role.Admin),
        // Everything that reads. A search has a body and changes nothing.
        (@"^POST /api/knowledge/search$", Role.Viewer),
        (@"^GET ", Role.Viewer),
        // Everything that chats, runs or changes.
        (@"^\w+ ", Role.Member),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_route_asks_for_the_role_of_the_table()
    {
        await using var server = await ServerFixture.StartAsync(settings => settings["Auth:SignupMode"] = "open");
        var faults = new List<string>();
        var routes = Routes(server);
        routes.Count.ShouldBeGreaterThan(40);
        foreach (var role in Enum.GetValues<Role>())
        {
            var org = await server.AddOrgAsync($"roles-{role}");
            var email = $"{role.ToString().ToLowerInvariant()}@roles.example.com";
            await server.AddUserAsync(email, (org, role.ToString()));
            foreach (var route in routes)
            {
                // Each on its own, since some calls end the session.
                using var client = server.ClientFor(await SessionAsync(server, email, route));
                using var request = new HttpRequestMessage(new HttpMethod(route.Method), Parameter().Replace(route.Path, match => match.Value.StartsWith("{orgId", StringComparison.Ordinal) ? org.ToString() : Guid.CreateVersion7().ToString()));
                if (route.Method is "POST" or "PUT" or "PATCH") request.Content = JsonText.Content("{}");
                using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
                var refused = (int)response.StatusCode == 403;
                var needed = Needed(route.Shape);
                if (refused != role < needed) faults.Add($"{route.Shape} answers {role} with {(int)response.StatusCode}; by the table it needs {needed}: give the route this role, or add a line to the table with its reason in the contract.");
            }
        }
        faults.ShouldBeEmpty();
    }

    private readonly Dictionary<string, string> _sessions = [];

    private async Task<string> SessionAsync(ServerFixture server, string email, Route route)
    {
        if (route.Path.StartsWith("/api/auth/", StringComparison.Ordinal) || !_sessions.TryGetValue(email, out var token)) token = _sessions[email] = (await server.LoginAsync(email)).Text("access_token");
        if (route.Path.StartsWith("/api/auth/", StringComparison.Ordinal)) _sessions.Remove(email);
        return token;
    }

    private static Role Needed(string shape) => Table.First(line => Regex.IsMatch(shape, line.Route)).Needs;

    private static List<Route> Routes(ServerFixture server) =>
        [.. from endpoint in server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            where endpoint.Metadata.GetMetadata<AccessRule>() is { Anonymous: false }
            from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []
            select new Route(method, "/" + endpoint.RoutePattern.RawText!.Trim('/'))];

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();

    private sealed record Route(string Method, string Path)
    {
        public string Shape => $"{Method} {Parameter().Replace(Path, "{}")}";
    }
}
