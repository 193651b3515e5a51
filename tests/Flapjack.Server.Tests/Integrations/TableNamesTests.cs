using Flapjack.Server.Integrations.Tools;

namespace Flapjack.Server.Tests.Integrations;

/// <summary>Names of database tools.</summary>
public sealed class TableNamesTests
{
    private static readonly Guid One = new("00000000-0000-0000-0000-000000000001"), Two = new("00000000-0000-0000-0000-000000000002");

    [Fact]
    public void A_table_of_the_first_schema_has_its_bare_name() =>
        Names(new(One, "CRM", "public", "customers", true), new(One, "CRM", "sales", "orders", false)).ShouldBe(["query_customers", "query_sales_orders"]);

    [Fact]
    public void Databases_that_clash_say_which_they_are() =>
        Names(new(One, "CRM", "public", "customers", true), new(Two, "crm!", "public", "customers", true), new(Two, "crm!", "public", "other", true))
            .ShouldBe(["crm__query_customers", "crm_2__query_customers", "query_other"]);

    [Fact]
    public void Two_tables_of_one_database_never_have_one_name() =>
        Names(new(One, "CRM", "public", "a_b", true), new(One, "CRM", "a", "b", false), new(One, "CRM", "public", "a b", true)).ShouldBe(["query_a_b", "query_a_b_2", "query_a_b_3"]);

    [Fact]
    public void Names_fit_whatever_the_tables_are_called()
    {
        var tables = new List<NamedTable>();
        foreach (var name in (string[])[new string('x', 63), new string('x', 62) + "y", "ünï çödé", "日本", "日木", "\"; --", "a.b", "", "-", "_"])
        {
            foreach (var (id, database) in ((Guid, string)[])[(One, new string('d', 200)), (Two, "日本")])
            {
                tables.Add(new(id, database, "public", name, true));
                tables.Add(new(id, database, new string('s', 63), name, false));
            }
        }
        var names = TableNames.Of(tables);
        names.Select(n => n.Query).Concat(names.Select(n => n.Count)).ShouldBeUnique();
        names.ShouldAllBe(n => System.Text.RegularExpressions.Regex.IsMatch(n.Query, @"^[A-Za-z0-9_-]{1,64}\z") && System.Text.RegularExpressions.Regex.IsMatch(n.Count, @"^[A-Za-z0-9_-]{1,64}\z"));
    }

    private static IEnumerable<string> Names(params NamedTable[] tables) => TableNames.Of(tables).Select(n => n.Query);
}
