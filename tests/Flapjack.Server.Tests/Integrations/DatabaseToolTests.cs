using System.Text.Json;
using Flapjack.Server.Agents.Equipment;
using Flapjack.Server.Tests.Accounts;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Integrations;

/// <summary><c>query_{table}</c> and <c>count_{table}</c> against a real database.</summary>
public sealed class DatabaseToolTests(IntegrationWorld world) : IClassFixture<IntegrationWorld>
{
    [Fact]
    public async Task Rows_come_as_json_of_their_types()
    {
        IntegrationWorld.Require();
        var thread = await world.OpenAsync((await world.CreateAsync(), ["customers"]));
        var result = await world.CallAsync(thread, "query_customers", "{}");
        result.GetProperty("rows")[0].GetRawText().ShouldBe(
            """{"id":1,"name":"Ada","mail":"ada@example.com","born":"1815-12-10","seen":"2026-04-01T10:00:00+00:00","balance":12.50,"score":1.5,"active":true,"mood":"happy","tags":"{a,b}","extra":{"vip":true},"photo":"<3 bytes>","big":9007199254740993}""");
        result.GetProperty("rows")[1].GetRawText().ShouldBe(
            """{"id":2,"name":"Bob","mail":null,"born":null,"seen":null,"balance":null,"score":"NaN","active":false,"mood":"sad","tags":null,"extra":[1],"photo":null,"big":null}""");
        (result.GetProperty("row_count").GetInt32(), result.GetProperty("has_more").GetBoolean()).ShouldBe((3, false));
        result.TryGetProperty("note", out _).ShouldBeFalse();
        (await world.CallAsync(thread, "count_customers", "{}")).GetRawText().ShouldBe("""{"count":3}""");
    }

    [Theory]
    [InlineData("""{"column":"id","op":"eq","value":2}""", "2")]
    [InlineData("""{"column":"id","op":"eq","value":2.0}""", "2")]
    [InlineData("""{"column":"id","op":"eq","value":"2"}""", "2")]
    [InlineData("""{"column":"id","op":"neq","value":2}""", "1,3")]
    [InlineData("""{"column":"id","op":"gt","value":1},{"column":"id","op":"lt","value":3}""", "2")]
    [InlineData("""{"column":"id","op":"gte","value":2}""", "2,3")]
    [InlineData("""{"column":"balance","op":"lte","value":12.5}""", "1,3")]
    [InlineData("""{"column":"id","op":"in","value":[1,3,99]}""", "1,3")]
    [InlineData("""{"column":"name","op":"in","value":["Ada"]}""", "1")]
    [InlineData("""{"column":"name","op":"like","value":"A%"}""", "1")]
    [InlineData("""{"column":"name","op":"ilike","value":"a%"}""", "1")]
    [InlineData("""{"column":"id","op":"like","value":"2%"}""", "2")]
    [InlineData("""{"column":"mail","op":"is_null"}""", "2")]
    [InlineData("""{"column":"mail","op":"not_null","value":"ignored"}""", "1,3")]
    [InlineData("""{"column":"born","op":"gt","value":"1900-01-01"}""", "3")]
    [InlineData("""{"column":"seen","op":"gt","value":"2026-04-01T09:59:59Z"}""", "1")]
    [InlineData("""{"column":"active","op":"eq","value":true}""", "1")]
    [InlineData("""{"column":"mood","op":"gt","value":"sad"}""", "1")]
    [InlineData("""{"column":"extra","op":"eq","value":{"vip":true}}""", "1")]
    [InlineData("""{"column":"big","op":"eq","value":9007199254740993}""", "1")]
    public async Task Filters_find_their_rows(string filters, string ids)
    {
        IntegrationWorld.Require();
        var thread = await world.OpenAsync((await world.CreateAsync(), ["customers"]));
        var rows = await world.CallAsync(thread, "query_customers", $$"""{"columns":["id"],"filters":[{{filters}}]}""");
        rows.TryGetProperty("rows", out var found).ShouldBeTrue(rows.GetRawText());
        string.Join(',', found.EnumerateArray().Select(r => r.GetProperty("id").GetInt32())).ShouldBe(ids);
        (await world.CallAsync(thread, "count_customers", $$"""{"filters":[{{filters}}]}""")).GetProperty("count").GetInt32().ShouldBe(ids.Split(',').Length);
    }

    [Fact]
    public async Task Pages_follow_the_order_that_is_asked_for_or_the_primary_key()
    {
        IntegrationWorld.Require();
        var thread = await world.OpenAsync((await world.CreateAsync(schemas: ["sales"]), null));
        var first = await world.CallAsync(thread, "query_orders", "{}");
        (first.GetProperty("row_count").GetInt32(), first.GetProperty("has_more").GetBoolean()).ShouldBe((50, true));
        Ids(first).ShouldBe(Enumerable.Range(1, 50));
        var last = await world.CallAsync(thread, "query_orders", """{"limit":20,"offset":100}""");
        Ids(last).ShouldBe(Enumerable.Range(101, 20));
        last.GetProperty("has_more").GetBoolean().ShouldBeFalse();
        Ids(await world.CallAsync(thread, "query_orders", """{"columns":["id","id"],"order_by":[{"column":"customer_id"},{"column":"id","direction":"desc"}],"limit":2}""")).ShouldBe([120, 117]);
        static IEnumerable<int> Ids(JsonElement result) => result.GetProperty("rows").EnumerateArray().Select(r => r.GetProperty("id").GetInt32());
    }

    [Fact]
    public async Task A_schema_is_exact()
    {
        IntegrationWorld.Require();
        var tools = await ToolsAsync(await world.OpenAsync((await world.CreateAsync("Shop", schemas: ["sales"]), null)));
        tools.Select(t => t.Name).ShouldBe(["query_orders", "count_orders"]);
        tools.ShouldAllBe(t => t.Idempotent && t.Planning && t.Gated);
        tools[0].Function.Description.ShouldStartWith("Reads rows of sales.orders in the database Shop.");
        const string filters = """{"type":"array","items":{"type":"object","additionalProperties":false,"required":["column","op"],"properties":{"column":{"type":"string","enum":["id","customer_id"]},"op":{"type":"string","enum":["eq","neq","gt","gte","lt","lte","in","like","ilike","is_null","not_null"]},"value":{}}}}""";
        tools[0].Function.JsonSchema.GetRawText().ShouldBe(
            $$$$$$"""{"type":"object","additionalProperties":false,"properties":{"columns":{"type":"array","items":{"type":"string","enum":["id","customer_id"]}},"filters":{{{{{{filters}}}}}},"order_by":{"type":"array","items":{"type":"object","additionalProperties":false,"required":["column"],"properties":{"column":{"type":"string","enum":["id","customer_id"]},"direction":{"type":"string","enum":["asc","desc"]}}}},"limit":{"type":"integer","minimum":1,"maximum":500,"default":50},"offset":{"type":"integer","minimum":0,"default":0}}}""");
        tools[1].Function.JsonSchema.GetRawText().ShouldBe($$$$$$"""{"type":"object","additionalProperties":false,"properties":{"filters":{{{{{{filters}}}}}}}}""");
    }

    [Fact]
    public async Task Names_tell_schemas_and_databases_apart()
    {
        IntegrationWorld.Require();
        var (shop, crm) = (await world.CreateAsync("Shop", schemas: ["public", "sales"]), await world.CreateAsync("My CRM!", schemas: ["public"]));
        var names = (await ToolsAsync(await world.OpenAsync((shop, ["customers", "sales.orders"]), (crm, ["customers", "wide"])))).Select(t => t.Name);
        names.ShouldBe(["shop__query_customers", "shop__count_customers", "query_sales_orders", "count_sales_orders", "my_crm__query_customers", "my_crm__count_customers", "query_wide", "count_wide"]);
    }

    [Fact]
    public async Task Changes_of_a_database_and_of_what_is_allowed_hold_from_the_next_turn_on()
    {
        IntegrationWorld.Require();
        var integration = await world.CreateAsync("Shop");
        var thread = await world.OpenAsync((integration, ["customers"]));
        (await world.CallAsync(thread, "count_customers", "{}")).GetProperty("count").GetInt32().ShouldBe(3);
        (await world.CallAsync(thread, "count_wide", "{}")).Text("error").ShouldBe("UNKNOWN_TOOL");
        var agent = Guid.Parse((await world.World.ThreadAsync(thread)).Text("agent_id"));
        await world.AttachAsync(agent, integration, []).ShouldBe(200);
        (await world.CallAsync(thread, "count_customers", "{}")).Text("error").ShouldBe("UNKNOWN_TOOL");
        await world.AttachAsync(agent, integration).ShouldBe(200);
        (await world.CallAsync(thread, "count_wide", "{}")).GetProperty("count").GetInt32().ShouldBe(30);
        await world.World.PatchAsync($"/api/integrations/{integration.Text("id")}", new { schemas = new[] { "sales" } }).ShouldBe(200);
        (await world.CallAsync(thread, "count_orders", "{}")).GetProperty("count").GetInt32().ShouldBe(120);
        await world.Server.Client.DeleteAsync($"/api/integrations/{integration.Text("id")}", TestContext.Current.CancellationToken).ShouldBe(200);
        (await world.CallAsync(thread, "count_orders", "{}")).Text("error").ShouldBe("UNKNOWN_TOOL");
    }

    [Fact]
    public async Task Sixty_tables_are_offered_unless_more_are_named()
    {
        IntegrationWorld.Require();
        await world.CustomerAsync("CREATE SCHEMA many; DO $$ BEGIN FOR i IN 100..169 LOOP EXECUTE 'CREATE TABLE many.t' || i || ' (id integer)'; END LOOP; END $$; GRANT USAGE ON SCHEMA many TO " + world.Reader + "; GRANT SELECT ON ALL TABLES IN SCHEMA many TO " + world.Reader);
        var integration = await world.CreateAsync("Many", schemas: ["many"]);
        integration.GetProperty("table_count").GetInt32().ShouldBe(70);
        var names = (await ToolsAsync(await world.OpenAsync((integration, null)))).Select(t => t.Name).Where(n => n.StartsWith("query_", StringComparison.Ordinal)).ToList();
        names.ShouldBe(Enumerable.Range(100, 60).Select(i => $"query_t{i}"));
        (await ToolsAsync(await world.OpenAsync((integration, [.. Enumerable.Range(100, 70).Select(i => $"t{i}")])))).Count.ShouldBe(140);
    }

    [Fact]
    public async Task Large_results_end_early_and_say_so()
    {
        IntegrationWorld.Require();
        var thread = await world.OpenAsync((await world.CreateAsync(), ["wide"]));
        var result = await world.CallAsync(thread, "query_wide", """{"order_by":[{"column":"id"}]}""");
        var rows = result.GetProperty("rows").EnumerateArray().ToList();
        rows.Count.ShouldBe(1);
        rows[0].Text("body").ShouldBe(new string('é', 4000) + "…");
        (result.GetProperty("row_count").GetInt32(), result.GetProperty("has_more").GetBoolean()).ShouldBe((1, true));
        result.Text("note").ShouldBe("The rows are too large for one result. Ask for fewer columns, or go on with offset 1.");
        // The connection is as good as before.
        (await world.CallAsync(thread, "query_wide", """{"columns":["id"],"limit":500}""")).GetProperty("row_count").GetInt32().ShouldBe(30);
        (await world.CallAsync(thread, "query_wide", """{"columns":["more"],"limit":5}""")).GetProperty("row_count").GetInt32().ShouldBe(5);
    }

    [Fact]
    public async Task The_rest_of_a_large_result_does_not_travel()
    {
        IntegrationWorld.Require();
        await world.CustomerAsync("CREATE TABLE huge AS SELECT n AS id, repeat('x', 3900) AS a, repeat('y', 3900) AS b, repeat('z', 3900) AS c FROM generate_series(1, 500) n; GRANT SELECT ON huge TO " + world.Reader);
        var thread = await world.OpenAsync((await world.CreateAsync("Huge"), ["huge"]));
        for (var i = 0; i < 5; i++)
        {
            var result = await world.CallAsync(thread, "query_huge", """{"limit":500}""");
            result.TryGetProperty("row_count", out var count).ShouldBeTrue(result.GetRawText());
            count.GetInt32().ShouldBe(1);
            (await world.CallAsync(thread, "count_huge", "{}")).GetRawText().ShouldBe("""{"count":500}""");
        }
    }

    [Fact]
    public async Task A_turn_has_its_spans_and_no_connection_details()
    {
        IntegrationWorld.Require();
        var thread = await world.OpenAsync((await world.CreateAsync(), ["customers"]));
        await world.CallAsync(thread, "count_customers", "{}");
        var trace = await world.World.TraceAsync(thread);
        trace.GetProperty("spans").EnumerateArray().Count(s => s.Text("kind") == "tool" && s.Text("name") == "count_customers").ShouldBe(1);
        trace.GetRawText().ShouldNotContain(world.Reader);
    }

    private async Task<IReadOnlyList<Flapjack.Runtime.Tools.TurnTool>> ToolsAsync(Guid thread)
    {
        var row = await world.World.ThreadAsync(thread);
        var tools = new List<Flapjack.Runtime.Tools.TurnTool>();
        var request = new EquipmentRequest(Guid.Parse(row.Text("org_id")), Guid.Parse(row.Text("agent_id")), 1_000 + Random.Shared.Next()) { Model = "flapjack-offline" };
        foreach (var source in world.Server.Services.GetServices<IToolSource>().Where(s => s is Flapjack.Server.Integrations.Tools.DatabaseTools)) tools.AddRange(await source.ListAsync(request, TestContext.Current.CancellationToken));
        return tools;
    }
}
