using Flapjack.Runtime.Tests.Turns;
using Flapjack.Runtime.Tools;
using Microsoft.Extensions.AI;

namespace Flapjack.Runtime.Tests.Tools;

public sealed class ToolSetTests
{
    [Theory]
    [InlineData("web_search", "web_search", true)]
    [InlineData("web_*", "web_search", true)]
    [InlineData("web_*", "Web_search", false)]
    [InlineData("github__get_?", "github__get_a", true)]
    [InlineData("github__get_?", "github__get_ab", false)]
    [InlineData("*__get_*", "github__get_issue", true)]
    [InlineData("*", "anything", true)]
    [InlineData("search", "web_search", false)]
    public void Profiles_gate_by_name_and_glob(string pattern, string tool, bool allowed) =>
        new ToolProfile("p", [pattern]).Allows(tool).ShouldBe(allowed);

    [Fact]
    public void A_profile_hides_what_it_blocks_but_not_ungated_or_client_tools()
    {
        var free = FakeTool.Returning("free", 1) with { Gated = false };
        var set = new ToolSet([Declared("mine")], [FakeTool.Returning("blocked", 1), free], new("p", []));
        set.Offered.Select(tool => tool.Name).ShouldBe(["mine", "free"]);
        set.Allows(set.Find("blocked")!).ShouldBeFalse();
    }

    [Fact]
    public void The_first_of_a_name_wins_and_client_tools_come_first()
    {
        var first = FakeTool.Returning("same", 1);
        var set = new ToolSet([Declared("mine")], [first, FakeTool.Returning("same", 2), FakeTool.Returning("mine", 3)], null);
        set.Find("same").ShouldBe(first);
        set.Find("mine").ShouldBeNull();
        set.IsClientSide("mine").ShouldBeTrue();
        set.Offered.Count.ShouldBe(2);
    }

    [Fact]
    public void What_is_offered_cannot_be_run_by_a_model_client() =>
        new ToolSet([], [FakeTool.Returning("get", 1)], null).Offered.ShouldAllBe(tool => !(tool is AIFunction));

    private static AIFunctionDeclaration Declared(string name) => FakeTool.Returning(name, 1).Function.AsDeclarationOnly();
}
