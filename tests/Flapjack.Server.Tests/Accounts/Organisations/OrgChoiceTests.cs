using System.Net.Http.Json;

namespace Flapjack.Server.Tests.Accounts.Organisations;

/// <summary>Which organisation a request acts in, and that the role held there is the one that counts.</summary>
public sealed class OrgChoiceTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("header")]
    [InlineData("query")]
    [InlineData("body")]
    [InlineData("body, snake case")]
    [InlineData("body over header")]
    public async Task A_creation_is_judged_by_the_role_in_the_organisation_it_names(string way)
    {
        var (weak, strong) = (await server.AddOrgAsync("weak " + way), await server.AddOrgAsync("strong " + way));
        var email = $"{way.Replace(" ", "", StringComparison.Ordinal).Replace(",", "", StringComparison.Ordinal)}@example.com";
        await server.AddUserAsync(email, (weak, "viewer"), (strong, "admin"));
        using var client = await server.ClientOfAsync(email);

        foreach (var (path, body) in new[] { ("/api/agents", """ "name":"a" """), ("/api/keys", """ "name":"k" """) })
        {
            (await SendAsync(path, body, strong)).ShouldBe(201, path);
            (await SendAsync(path, body, weak)).ShouldBe(403, path);
            (await SendAsync(path, body, Guid.CreateVersion7())).ShouldBe(404, path);
        }
        // Without a choice it is the default organisation.
        await client.PostAsJsonAsync("/api/agents", new { name = "a" }, Token).ShouldBeError(403, "FORBIDDEN");

        async Task<int> SendAsync(string path, string fields, Guid org)
        {
            var (query, field) = way switch
            {
                "query" => ($"?orgId={org}", ""),
                "body" or "body over header" => ("", $"\"orgId\":\"{org}\","),
                "body, snake case" => ("", $"\"org_id\":\"{org}\","),
                _ => ("", ""),
            };
            using var request = new HttpRequestMessage(HttpMethod.Post, path + query) { Content = JsonText.Content($"{{{field}{fields}}}") };
            if (way == "header") request.Headers.Add("X-Flapjack-Org", org.ToString());
            if (way == "body over header") request.Headers.Add("X-Flapjack-Org", weak.ToString());
            using var response = await client.SendAsync(request, Token);
            return (int)response.StatusCode;
        }
    }

    [Fact]
    public async Task A_null_in_camel_case_wins_over_another_organisation_in_snake_case()
    {
        var (weak, strong) = (await server.AddOrgAsync("weak-null"), await server.AddOrgAsync("strong-null"));
        await server.AddUserAsync("null@example.com", (weak, "viewer"), (strong, "admin"));
        using var client = await server.ClientOfAsync("null@example.com");
        await client.PostAsync("/api/agents", JsonText.Content($$"""{"name":"a","org_id":"{{strong}}","orgId":null}"""), Token).ShouldBeError(403, "FORBIDDEN");
    }

    [Fact]
    public async Task A_broken_body_is_told_after_the_role()
    {
        var org = await server.AddOrgAsync("broken-body");
        await server.AddUserAsync("viewer.broken@example.com", (org, "viewer"));
        await server.AddUserAsync("member.broken@example.com", (org, "member"));
        using var viewer = await server.ClientOfAsync("viewer.broken@example.com");
        using var member = await server.ClientOfAsync("member.broken@example.com");
        await viewer.PostAsync("/api/agents", JsonText.Content("{"), Token).ShouldBeError(403, "FORBIDDEN");
        await member.PostAsync("/api/agents", JsonText.Content("{"), Token).ShouldBeError(400, "INVALID_JSON");
        await member.PostAsync("/api/agents", JsonText.Content("[]"), Token).ShouldBeError(400, "INVALID_REQUEST");
    }

    [Fact]
    public async Task The_answer_to_a_repeated_creation_is_the_first_one_in_its_organisation()
    {
        var (weak, strong) = (await server.AddOrgAsync("weak-repeat"), await server.AddOrgAsync("strong-repeat"));
        await server.AddUserAsync("repeat@example.com", (weak, "viewer"), (strong, "member"));
        using var client = await server.ClientOfAsync("repeat@example.com");
        client.DefaultRequestHeaders.Add("Idempotency-Key", "one-agent");
        var first = await client.PostAsJsonAsync("/api/agents", new { name = "a", orgId = strong }, Token).ShouldBe(201);
        using var again = await client.PostAsJsonAsync("/api/agents", new { name = "a", orgId = strong }, Token);
        (await again.ShouldBeAsync(201)).ToString().ShouldBe(first.ToString());
        again.Header("Idempotency-Replayed").ShouldBe("true");
    }
}
