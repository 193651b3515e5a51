using System.Text.Json;
using Flapjack.Runtime.Schemas;
using Flapjack.Runtime.Tools;

namespace Flapjack.Runtime.Tests.Tools;

public sealed class ProposeProfileSwitchTests
{
    private static readonly ToolProfile Triage = new("triage", ["web_*"], Description: "Read only");
    private static readonly ToolProfile Full = new("full", ["*"]);
    private static readonly ToolProfile Hidden = new("hidden", ["*"], Switchable: false);

    [Fact]
    public void Only_other_switchable_profiles_are_targets()
    {
        var tool = ProposeProfileSwitch.Create([Triage, Full, Hidden], "full").ShouldNotBeNull();
        tool.Gated.ShouldBeFalse();
        tool.Function.Description.ShouldContain("triage: Read only");
        Accepts(tool, """{"target":"triage","reason":"r"}""").ShouldBeTrue();
        Accepts(tool, """{"target":"full","reason":"r"}""").ShouldBeFalse();
        Accepts(tool, """{"target":"hidden","reason":"r"}""").ShouldBeFalse();
        Accepts(tool, """{"target":"triage"}""").ShouldBeFalse();
        Accepts(tool, $$"""{"target":"triage","reason":"{{new string('r', 501)}}"}""").ShouldBeFalse();
    }

    [Fact]
    public void Without_a_profile_in_effect_every_switchable_one_is_a_target() =>
        Accepts(ProposeProfileSwitch.Create([Triage, Full], null)!, """{"target":"full","reason":"r"}""").ShouldBeTrue();

    [Fact]
    public void There_is_no_tool_without_a_target() => ProposeProfileSwitch.Create([Full, Hidden], "full").ShouldBeNull();

    private static bool Accepts(TurnTool tool, string arguments) => JsonSchema.Of(tool.Function).Validate(JsonDocument.Parse(arguments).RootElement).IsValid;
}
