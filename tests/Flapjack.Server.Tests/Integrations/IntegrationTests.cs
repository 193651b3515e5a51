using System.Text.Json;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Tests.Accounts;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Integrations;

/// <summary><c>/api/integrations</c> and what agents are given of it.</summary>
public sealed class IntegrationTests(IntegrationWorld world) : IClassFixture<IntegrationWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private HttpClient Client => world.Server.Client;

    [Fact]
    public async Task A_database_is_looked_at_when_it_is_stored()
    {
        IntegrationWorld.Require();
        var created = await world.CreateAsync("  CRM ", schemas: ["public", "sales", "public"]);
        created.Text("name").ShouldBe("CRM");
        (created.Text("kind"), created.Text("status"), created.GetProperty("last_error").ValueKind).ShouldBe(("postgres", "active", JsonValueKind.Null), created.GetRawText());
        created.GetProperty("schemas").GetRawText().ShouldBe("""["public","sales"]""");
        created.GetProperty("warnings").GetRawText().ShouldBe("[]");
        var tables = created.GetProperty("schema").EnumerateArray().ToList();
        tables.Select(t => $"{t.Text("schema")}.{t.Text("table")}").ShouldBe(["public.Odd \"name\" $1; --", "public.customers", "public.grown", "public.held", "public.locks", "public.slow", "public.trap", "public.wide", "sales.orders"]);
        created.GetProperty("table_count").GetInt32().ShouldBe(9);
        var customers = tables[1];
        customers.Text("comment").ShouldBe("People who buy");
        customers.GetProperty("columns")[0].GetRawText().ShouldBe("""{"name":"id","type":"integer","nullable":false,"primary_key":true,"comment":null}""");
        customers.GetProperty("columns")[1].GetRawText().ShouldBe("""{"name":"name","type":"character varying(100)","nullable":false,"primary_key":false,"comment":null}""");
        customers.GetProperty("columns")[2].GetRawText().ShouldBe("""{"name":"mail","type":"email","nullable":true,"primary_key":false,"comment":"Where they read"}""");

        var id = created.Text("id");
        (await Client.GetAsync($"/api/integrations/{id}", Token).ShouldBe(200)).GetRawText().ShouldBe(created.GetRawText());
        var listed = (await Client.GetAsync("/api/integrations", Token).ShouldBe(200)).EnumerateArray().Single(i => i.Text("id") == id);
        listed.TryGetProperty("schema", out _).ShouldBeFalse();
        var test = await world.World.PostAsync($"/api/integrations/{id}/test", "{}").ShouldBe(200);
        (test.GetProperty("ok").GetBoolean(), test.GetProperty("tables").GetInt32()).ShouldBe((true, 9));
        test.Text("server_version").ShouldNotBeEmpty();
        test.TryGetProperty("error", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task The_connection_string_is_nowhere_to_be_found()
    {
        IntegrationWorld.Require();
        var created = await world.CreateAsync("Secret");
        var wrong = await world.CreateAsync("Wrong", world.Url.Replace(world.Reader, "nobody-of-that-name", StringComparison.Ordinal).Replace(Uri.EscapeDataString(world.Password), "not-the-password", StringComparison.Ordinal));
        wrong.Text("status").ShouldBe("error");
        wrong.Text("last_error").ShouldBe("AUTH_FAILED: the database refused the login");
        var refused = await world.World.PostAsync("/api/integrations", new { name = "x", kind = "postgres", connectionString = world.Url + "?sslkey=/etc/passwd" }).ShouldBeError(422, "VALIDATION_ERROR", "connectionString");
        var answers = string.Join('\n', created, wrong, refused, await Client.GetAsync("/api/integrations", Token).ShouldBe(200),
            await world.World.PostAsync($"/api/integrations/{wrong.Text("id")}/test", "{}").ShouldBe(200));
        await using var db = world.Server.Services.GetRequiredService<Databases>().OpenForServer();
        var rows = await db.Integrations.IgnoreQueryFilters().AsNoTracking().ToListAsync(Token);
        rows.ShouldAllBe(row => row.Connection.StartsWith("v1."));
        foreach (var secret in (string[])[world.Password, Uri.EscapeDataString(world.Password), "not-the-password", "nobody-of-that-name", "/etc/passwd"])
        {
            answers.ShouldNotContain(secret);
            JsonSerializer.Serialize(rows).ShouldNotContain(secret);
            world.Server.Log.Lines.ShouldNotContain(line => line.Contains(secret, StringComparison.Ordinal));
        }
        // Not by way of another row either.
        rows.Select(row => row.Connection).Distinct().Count().ShouldBe(rows.Count);
    }

    public static TheoryData<string> WrongStrings =>
    [
        "", "customers", "Host=127.0.0.1;Username=a;Password=b;Database=c", "http://u:p@127.0.0.1/db", "postgresql://127.0.0.1/db", "postgresql://u@127.0.0.1/db", "postgresql://:p@127.0.0.1/db", "postgresql://u:@127.0.0.1/db",
        "postgresql://u:p@127.0.0.1", "postgresql://u:p@127.0.0.1/", "postgresql://u:p@127.0.0.1/a/b", "postgresql://u:p@/db", "postgresql://u:p@127.0.0.1,127.0.0.2/db", "postgresql://u:p@127.0.0.1:5432,127.0.0.2:5432/db",
        "postgresql://u:p@%2Fvar%2Frun%2Fpostgresql/db", "postgresql://u:p@@socket/db?x", "postgresql://u:p@127.0.0.1:0/db", "postgresql://u:p@127.0.0.1:70000/db", "postgresql://u:p@127.0.0.1:x/db", "postgresql://u:p@[::1/db", "postgresql://u:p@[fe80::1%25eth0]/db",
        "postgresql://u:p@127.0.0.1/db?host=10.0.0.1", "postgresql://u:p@127.0.0.1/db?hostaddr=10.0.0.1", "postgresql://u:p@127.0.0.1/db?port=1", "postgresql://u:p@127.0.0.1/db?service=x", "postgresql://u:p@127.0.0.1/db?passfile=/etc/passwd", "postgresql://u:p@127.0.0.1/db?sslkey=/etc/passwd",
        "postgresql://u:p@127.0.0.1/db?sslcert=x", "postgresql://u:p@127.0.0.1/db?sslrootcert=/etc/passwd", "postgresql://u:p@127.0.0.1/db?options=-c%20statement_timeout%3D0", "postgresql://u:p@127.0.0.1/db?Options=-cx", "postgresql://u:p@127.0.0.1/db?sslmode=maybe",
        "postgresql://u:p@127.0.0.1/db?channel_binding=7", "postgresql://u:p@127.0.0.1/db#x", "postgresql://u:p w@127.0.0.1/db", "postgresql://u:p%00@127.0.0.1/db", "postgresql://u:p@127.0.0.1/db;Passfile=/etc/passwd?",
    ];

    [Theory, MemberData(nameof(WrongStrings))]
    public async Task A_string_that_is_no_plain_address_is_refused_without_being_repeated(string text)
    {
        var connection = text.EndsWith('?') ? text + "passfile=x" : text;
        var refused = await world.World.PostAsync("/api/integrations", new { name = "x", kind = "postgres", connectionString = connection }).ShouldBeError(422, "VALIDATION_ERROR", "connectionString");
        if (text.Length > 0) refused.GetRawText().ShouldNotContain(text);
    }

    [Theory]
    [InlineData("""{"kind":"postgres","connectionString":"postgresql://u:p@127.0.0.1:1/db"}""", 422, "name")]
    [InlineData("""{"name":"x","connectionString":"postgresql://u:p@127.0.0.1:1/db"}""", 422, "kind")]
    [InlineData("""{"name":"x","kind":"mysql","connectionString":"postgresql://u:p@127.0.0.1:1/db"}""", 422, "kind")]
    [InlineData("""{"name":"x","kind":"postgres"}""", 422, "connectionString")]
    [InlineData("""{"name":"x","kind":"postgres","connectionString":7}""", 400, "connectionString")]
    [InlineData("""{"name":"x","kind":"postgres","connectionString":"postgresql://u:p@127.0.0.1:1/db","schemas":[]}""", 422, "schemas")]
    [InlineData("""{"name":"x","kind":"postgres","connectionString":"postgresql://u:p@127.0.0.1:1/db","schemas":["pg_catalog"]}""", 422, "schemas[0]")]
    [InlineData("""{"name":"x","kind":"postgres","connectionString":"postgresql://u:p@127.0.0.1:1/db","schemas":["a","information_schema"]}""", 422, "schemas[1]")]
    [InlineData("""{"name":"x","kind":"postgres","connectionString":"postgresql://u:p@127.0.0.1:1/db","schemas":[null]}""", 400, "schemas[0]")]
    [InlineData("""{"name":"x","kind":"postgres","connectionString":"postgresql://u:p@10.1.2.3/db"}""", 422, "connectionString")]
    [InlineData("""{"name":"x","kind":"postgres","connectionString":"postgresql://u:p@169.254.169.254/db"}""", 422, "connectionString")]
    [InlineData("""{"name":"x","kind":"postgres","connectionString":"postgresql://u:p@0x7f.1/db"}""", 0, "")]
    public async Task Wrong_fields_are_named(string body, int status, string field)
    {
        using var response = await world.World.PostAsync("/api/integrations", body);
        // A spelling of the loopback address: allowed here, but nobody listens.
        if (status == 0) ((int)response.StatusCode).ShouldBeOneOf(201, 422);
        else await response.ShouldBeErrorAsync(status, status == 422 ? "VALIDATION_ERROR" : "INVALID_REQUEST", field);
    }

    [Fact]
    public async Task A_database_that_cannot_be_reached_is_stored_and_works_after_a_change()
    {
        IntegrationWorld.Require();
        var created = await world.CreateAsync("Later", "postgresql://u:p@127.0.0.1:1/db");
        (created.Text("status"), created.Text("last_error"), created.GetProperty("table_count").GetInt32(), created.GetProperty("introspected_at").ValueKind).ShouldBe(("error", "CONNECT_FAILED: the database cannot be reached", 0, JsonValueKind.Null));
        var path = $"/api/integrations/{created.Text("id")}";
        var test = await world.World.PostAsync($"{path}/test", "{}").ShouldBe(200);
        test.GetRawText().ShouldBe("""{"ok":false,"error":"CONNECT_FAILED","detail":"the database cannot be reached"}""");
        var changed = await world.World.PatchAsync(path, new { connection_string = world.Url, name = "Now" }).ShouldBe(200);
        (changed.Text("name"), changed.Text("status"), changed.GetProperty("table_count").GetInt32()).ShouldBe(("Now", "active", 8));
        var narrowed = await world.World.PatchAsync(path, new { schemas = new[] { "sales" } }).ShouldBe(200);
        narrowed.GetProperty("schema").EnumerateArray().Select(t => t.Text("table")).ShouldBe(["orders"]);
        await world.World.PatchAsync(path, new { name = "" }).ShouldBeError(422, "VALIDATION_ERROR", "name");
        await world.World.PatchAsync(path, new { connectionString = (string?)null }).ShouldBeError(422, "VALIDATION_ERROR", "connectionString");

        // A refresh that fails keeps what was known.
        await world.CustomerAsync("CREATE TABLE sales.late (id integer); GRANT SELECT ON sales.late TO " + world.Reader);
        (await world.World.PostAsync($"{path}/refresh", "{}").ShouldBe(200)).GetProperty("table_count").GetInt32().ShouldBe(2);
        await world.CustomerAsync("DROP TABLE sales.late");
        var gone = await world.World.PatchAsync(path, new { connectionString = "postgresql://u:p@127.0.0.1:1/db" }).ShouldBe(200);
        (gone.Text("status"), gone.GetProperty("table_count").GetInt32()).ShouldBe(("error", 2));
    }

    [Fact]
    public async Task A_role_that_could_write_is_accepted_with_warnings()
    {
        IntegrationWorld.Require();
        var super = await world.CreateAsync("Super", world.SuperUrl);
        super.Text("status").ShouldBe("active", super.GetRawText());
        super.GetProperty("warnings").EnumerateArray().Select(w => w.GetString()).ShouldBe(["superuser", "owner", "can_write"]);
        await world.CustomerAsync($"GRANT INSERT ON wide TO {world.Reader}");
        (await world.CreateAsync("Writer")).GetProperty("warnings").GetRawText().ShouldBe("""["can_write"]""");
        await world.CustomerAsync($"REVOKE INSERT ON wide FROM {world.Reader}");
    }

    [Fact]
    public async Task Agents_are_given_databases_and_keep_them_until_they_are_taken()
    {
        IntegrationWorld.Require();
        var (one, two) = (await world.CreateAsync("One"), await world.CreateAsync("Two"));
        var agent = await world.Server.CreateAgentAsync();
        var path = $"/api/agents/{agent}/integrations";
        (await Client.GetAsync(path, Token).ShouldBe(200)).GetRawText().ShouldBe("[]");
        var first = await world.AttachAsync(agent, one).ShouldBe(201);
        first.GetProperty("allowed_tables").ValueKind.ShouldBe(JsonValueKind.Null);
        first.GetProperty("integration").GetRawText().ShouldBe($$"""{"id":"{{one.Text("id")}}","name":"One","kind":"postgres","status":"active"}""");
        await world.AttachAsync(agent, two).ShouldBe(201);
        var again = await world.AttachAsync(agent, one, ["customers", "sales.orders", "nowhere"]).ShouldBe(200);
        (again.Text("id"), again.GetProperty("allowed_tables").GetRawText()).ShouldBe((first.Text("id"), """["customers","sales.orders","nowhere"]"""));
        (await Client.GetAsync(path, Token).ShouldBe(200)).EnumerateArray().Select(a => a.GetProperty("integration").Text("name")).ShouldBe(["One", "Two"]);

        await world.World.PostAsync(path, new { }).ShouldBeError(422, "VALIDATION_ERROR", "integrationId");
        await world.World.PostAsync(path, new { integrationId = "x" }).ShouldBeError(422, "VALIDATION_ERROR", "integrationId");
        (await world.World.PostAsync(path, new { integrationId = Guid.NewGuid() }).ShouldBeError(404, "NOT_FOUND")).Text("detail").ShouldBe("Integration not found");
        await world.World.PostAsync(path, new { integrationId = one.Text("id"), allowedTables = new[] { "" } }).ShouldBeError(422, "VALIDATION_ERROR", "allowedTables[0]");

        using var detach = new HttpRequestMessage(HttpMethod.Delete, path) { Content = JsonText.Content($$"""{"integrationId":"{{one.Text("id")}}"}""") };
        (await Client.SendAsync(detach, Token).ShouldBe(200)).GetRawText().ShouldBe("""{"ok":true}""");
        await Client.DeleteAsync($"{path}?integrationId={one.Text("id")}", Token).ShouldBeError(404, "NOT_FOUND");
        // The database goes, and with it what agents had of it.
        await Client.DeleteAsync($"/api/integrations/{two.Text("id")}", Token).ShouldBe(200);
        (await Client.GetAsync(path, Token).ShouldBe(200)).GetArrayLength().ShouldBe(0);
        await Client.GetAsync($"/api/integrations/{two.Text("id")}", Token).ShouldBeError(404, "NOT_FOUND");
        // The agent goes, the database stays.
        await world.AttachAsync(agent, one).ShouldBe(201);
        await Client.DeleteAsync($"/api/agents/{agent}", Token).ShouldBe(200);
        await Client.GetAsync($"/api/integrations/{one.Text("id")}", Token).ShouldBe(200);
        await using var db = world.Server.Services.GetRequiredService<Databases>().OpenForServer();
        (await db.AgentIntegrations.IgnoreQueryFilters().CountAsync(a => a.AgentId == agent, Token)).ShouldBe(0);
    }

    [Fact]
    public async Task Another_organisation_sees_and_changes_nothing()
    {
        IntegrationWorld.Require();
        var integration = await world.CreateAsync("Theirs");
        var id = integration.Text("id");
        using var other = world.Server.ClientFor((await world.Server.AddKeyAsync(await world.Server.AddOrgAsync($"o-{Guid.NewGuid():N}"))).Text);
        var mine = (await world.World.PostAsync("/api/agents", new { name = "Mine" }, other).ShouldBe(201)).Text("id");
        (await other.GetAsync("/api/integrations", Token).ShouldBe(200)).GetArrayLength().ShouldBe(0);
        await other.GetAsync($"/api/integrations/{id}", Token).ShouldBeError(404, "NOT_FOUND");
        await other.PatchAsync($"/api/integrations/{id}", JsonText.Content("""{"name":"taken"}"""), Token).ShouldBeError(404, "NOT_FOUND");
        await other.PostAsync($"/api/integrations/{id}/test", JsonText.Content("{}"), Token).ShouldBeError(404, "NOT_FOUND");
        await other.PostAsync($"/api/integrations/{id}/refresh", JsonText.Content("{}"), Token).ShouldBeError(404, "NOT_FOUND");
        await other.DeleteAsync($"/api/integrations/{id}", Token).ShouldBeError(404, "NOT_FOUND");
        await other.PostAsync($"/api/agents/{mine}/integrations", JsonText.Content($$"""{"integrationId":"{{id}}"}"""), Token).ShouldBeError(404, "NOT_FOUND");
        var agent = await world.Server.CreateAgentAsync();
        await other.GetAsync($"/api/agents/{agent}/integrations", Token).ShouldBeError(404, "NOT_FOUND");
        await other.PostAsync($"/api/agents/{agent}/integrations", JsonText.Content($$"""{"integrationId":"{{id}}"}"""), Token).ShouldBeError(404, "NOT_FOUND");
        await other.DeleteAsync($"/api/agents/{agent}/integrations?integrationId={id}", Token).ShouldBeError(404, "NOT_FOUND");
        (await Client.GetAsync($"/api/integrations/{id}", Token).ShouldBe(200)).Text("name").ShouldBe("Theirs");
    }

    [Fact]
    public async Task The_demo_key_reads_empty_lists()
    {
        using var demo = world.Server.ClientFor("fj_demo_example_key");
        (await demo.GetAsync("/api/integrations", Token).ShouldBe(200)).GetRawText().ShouldBe("[]");
        (await demo.GetAsync("/api/agents/00000000-0000-0000-0000-0000000a6e47/integrations", Token).ShouldBe(200)).GetRawText().ShouldBe("[]");
        await demo.GetAsync($"/api/integrations/{Guid.NewGuid()}", Token).ShouldBeError(404, "NOT_FOUND");
        await demo.PostAsync("/api/integrations", JsonText.Content("{}"), Token).ShouldBeError(403, "DEMO_KEY_READ_ONLY");
    }
}
