using System.Net.Http.Json;
using System.Text.Json;
using Flapjack.Server.Platform.Housekeeping;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Accounts.Organisations;

public sealed class OrgTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_owner_founds_reads_and_changes_an_organisation()
    {
        using var owner = await server.LoginOwnerAsync();
        var org = await owner.PostAsJsonAsync("/api/orgs", new { name = " Second Works ", slug = "second" }, Token).ShouldBe(201);
        var id = org.GetProperty("id").GetGuid();
        (org.Text("name"), org.Text("slug"), org.Text("role"), org.GetProperty("member_count").GetInt32()).ShouldBe(("Second Works", "second", "owner", 1));
        (await owner.GetAsync($"/api/orgs/{id}", Token).ShouldBe(200)).ToString().ShouldBe(org.ToString());
        var list = await owner.GetAsync("/api/orgs?limit=1", Token).ShouldBe(200);
        list[0].ToString().ShouldBe(org.ToString());

        await owner.PostAsJsonAsync("/api/orgs", new { name = "Third", slug = "second" }, Token).ShouldBeError(409, "CONFLICT");
        var changed = await owner.PatchAsJsonAsync($"/api/orgs/{id}", new { name = "Renamed" }, Token).ShouldBe(200);
        (changed.Text("name"), changed.Text("slug")).ShouldBe(("Renamed", "second"));
        var first = await owner.GetAsync($"/api/orgs/{await server.FirstOrgAsync()}", Token).ShouldBe(200);
        await owner.PatchAsJsonAsync($"/api/orgs/{id}", new { slug = first.Text("slug") }, Token).ShouldBeError(409, "CONFLICT");
        foreach (var (json, field) in new[] { ("""{"name":null}""", "name"), ("""{"name":" "}""", "name"), ("""{"slug":null}""", "slug"), ("""{"slug":"-a"}""", "slug"), ("""{"slug":"A"}""", "slug") })
            await owner.PatchAsync($"/api/orgs/{id}", JsonText.Content(json), Token).ShouldBeError(422, "VALIDATION_ERROR", field);
        await owner.PostAsync("/api/orgs", JsonText.Content("{}"), Token).ShouldBeError(422, "VALIDATION_ERROR", "name");
    }

    [Fact]
    public async Task A_key_sees_its_organisation_and_its_people_and_no_other()
    {
        var id = await server.FirstOrgAsync();
        var seen = await server.Client.GetAsync("/api/orgs", Token).ShouldBe(200);
        seen.GetArrayLength().ShouldBe(1);
        seen[0].GetProperty("id").GetGuid().ShouldBe(id);
        seen[0].GetProperty("role").ValueKind.ShouldBe(JsonValueKind.Null);
        var owner = (await server.Client.GetAsync($"/api/orgs/{id}/members", Token).ShouldBe(200)).EnumerateArray().Single(m => m.Text("email") == ServerFixture.OwnerEmail);
        (owner.Text("role"), owner.GetProperty("name").ValueKind).ShouldBe(("owner", JsonValueKind.Null));

        var foreign = await server.AddOrgAsync("foreign-to-keys");
        (await server.Client.BodyAsync(HttpMethod.Get, $"/api/orgs/{foreign}")).ShouldBe(await server.Client.BodyAsync(HttpMethod.Get, $"/api/orgs/{Guid.CreateVersion7()}"));
    }

    [Fact]
    public async Task Only_owners_found_organisations_unless_sign_up_is_open()
    {
        await server.AddUserAsync("admin-founder@example.com", (await server.FirstOrgAsync(), "admin"));
        using var admin = await server.ClientOfAsync("admin-founder@example.com");
        await admin.PostAsJsonAsync("/api/orgs", new { name = "Mine" }, Token).ShouldBeError(403, "FORBIDDEN");
    }

    [Fact]
    public async Task Whoever_belongs_to_no_organisation_reaches_their_own_account_and_nothing_else()
    {
        var userId = await server.AddUserAsync("lonely@example.com", (await server.FirstOrgAsync(), "member"));
        using var client = await server.ClientOfAsync("lonely@example.com");
        await server.SetRoleAsync(userId, null);
        (await client.MeAsync().ShouldBe(200)).GetProperty("orgs").GetArrayLength().ShouldBe(0);
        (await client.GetAsync("/api/orgs", Token).ShouldBe(200)).GetArrayLength().ShouldBe(0);
        (await client.PatchAsJsonAsync("/api/auth/me", new { name = "Alone" }, Token).ShouldBe(200)).GetProperty("user").Text("name").ShouldBe("Alone");
        await client.GetAsync("/api/agents", Token).ShouldBeError(404, "NOT_FOUND");
        await client.GetAsync("/api/threads?agentId=" + Guid.CreateVersion7(), Token).ShouldBeError(404, "NOT_FOUND");
        (await server.LoginAsync("lonely@example.com")).GetProperty("org").ValueKind.ShouldBe(JsonValueKind.Null);
        await client.PostAsync("/api/auth/logout", null, Token).ShouldBe(200);
    }

    [Fact]
    public async Task Deleting_takes_everything_with_it_stops_turns_and_ends_every_way_in()
    {
        await using var own = await ServerFixture.StartAsync();
        using var owner = await own.LoginOwnerAsync();
        var org = (await owner.PostAsJsonAsync("/api/orgs", new { name = "Doomed" }, Token).ShouldBe(201)).GetProperty("id").GetGuid();
        var key = await owner.PostAsJsonAsync("/api/keys", new { name = "k", orgId = org }, Token).ShouldBe(201);
        using var client = own.ClientFor(key.Text("key"));
        await own.AddUserAsync("guest@example.com", (org, "member"));
        using var guest = await own.ClientOfAsync("guest@example.com");
        await owner.PostAsJsonAsync($"/api/orgs/{org}/invites", new { email = "late@example.com" }, Token).ShouldBe(201);
        var agent = (await client.PostAsJsonAsync("/api/agents", new { name = "Ada" }, Token).ShouldBe(201)).GetProperty("id").GetGuid();
        var thread = (await guest.PostAsJsonAsync("/api/threads", new { agentId = agent }, Token).ShouldBe(200)).GetProperty("id").GetGuid();
        using var stream = await own.PostMessageAsync(thread, "/think 3600000", client: guest);
        await using var events = ServerFixture.ReadEventsAsync(stream).GetAsyncEnumerator(Token);
        (await events.MoveNextAsync()).ShouldBeTrue();

        var slug = (await owner.GetAsync($"/api/orgs/{org}", Token).ShouldBe(200)).Text("slug");
        await DeleteAsync(owner, org, "{}").ShouldBeError(422, "VALIDATION_ERROR", "confirm");
        await DeleteAsync(owner, org, """{"confirm":"another"}""").ShouldBeError(422, "VALIDATION_ERROR", "confirm");
        await owner.DeleteAsync($"/api/orgs/{org}?confirm={slug}", Token).ShouldBe(200);

        while (await events.MoveNextAsync() && events.Current.Event != "done") events.Current.Event.ShouldNotBe("error");
        events.Current.Data.GetProperty("stopped").GetBoolean().ShouldBeTrue();
        await client.GetAsync("/api/agents", Token).ShouldBeError(401, "UNAUTHORIZED");
        await guest.GetAsync("/api/agents", Token).ShouldBeError(404, "NOT_FOUND");
        await owner.GetAsync($"/api/orgs/{org}", Token).ShouldBeError(404, "NOT_FOUND");
        (await owner.MeAsync().ShouldBe(200)).GetProperty("orgs").GetArrayLength().ShouldBe(1);
        (await own.Anonymous.PostAsJsonAsync("/api/auth/login", new { email = "guest@example.com", password = AccountWorld.Password }, Token).ShouldBe(200)).GetProperty("org").ValueKind.ShouldBe(JsonValueKind.Null);
        (await owner.PostAsJsonAsync("/api/orgs", new { name = "Again", slug }, Token).ShouldBe(201)).Text("slug").ShouldBe(slug);

        // Only what other nodes still need to notice is left, and not for long.
        (await RowsOfAsync(own, org)).ShouldBe("api_keys 1, organisations 1");
        own.Time.Advance(TimeSpan.FromMinutes(11));
        await own.Services.GetRequiredService<HousekeepingRounds>().RunAsync(Token);
        (await RowsOfAsync(own, org)).ShouldBe("");
    }

    [Fact]
    public async Task The_last_organisation_of_the_server_stays()
    {
        await using var own = await ServerFixture.StartAsync();
        using var owner = await own.LoginOwnerAsync();
        var org = await own.FirstOrgAsync();
        await DeleteAsync(owner, org, """{"confirm":"default"}""").ShouldBeError(409, "CONFLICT");
        await own.Client.GetAsync("/api/agents", Token).ShouldBe(200);
    }

    private static async Task<HttpResponseMessage> DeleteAsync(HttpClient client, Guid org, string json)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"/api/orgs/{org}") { Content = JsonText.Content(json) };
        return await client.SendAsync(request, Token);
    }

    private static async Task<string> RowsOfAsync(ServerFixture server, Guid org)
    {
        await using var db = server.Database();
        var found = new List<string>();
        foreach (var entity in db.Model.GetEntityTypes().OrderBy(e => e.GetTableName(), StringComparer.Ordinal))
        {
            var column = entity.GetTableName() == "organisations" ? "id" : "org_id";
            if (entity.GetProperties().All(p => p.GetColumnName() != column)) continue;
            var sql = $"SELECT COUNT(*) AS \"Value\" FROM {entity.GetTableName()} WHERE {column} = {{0}}";
            var count = await db.Database.SqlQueryRaw<int>(sql, org).SingleAsync(Token);
            if (count > 0) found.Add($"{entity.GetTableName()} {count}");
        }
        return string.Join(", ", found);
    }
}
